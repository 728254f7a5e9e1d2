"""The only module that imports httpx2 and what belongs to it."""

import logging

from seeder.errors import ExtraMissing
from seeder.texts import Text

try:
    import anyio
    import anyio.to_thread
    import httpcore2
    import httpx2
except ImportError as error:
    raise ExtraMissing(feature=Text("An HTTP client"), distribution="httpx2", extra="http") from error

# Its lines of the level DEBUG contain the headers of responses.
if (_log := logging.getLogger("httpcore2")).level == logging.NOTSET:
    _log.setLevel(logging.INFO)

__all__ = ["anyio", "httpcore2", "httpx2"]
