"""The only module that imports zstd.

Before Python 3.14 it is in an extra.
"""

import sys

from seeder.errors import ExtraMissing
from seeder.texts import Text

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    try:
        from backports import zstd
    except ImportError as error:
        raise ExtraMissing(
            feature=Text("Compression with zstd"), distribution="backports.zstd", extra="zstd"
        ) from error

__all__ = ["zstd"]
