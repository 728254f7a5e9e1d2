"""Compresses a stream.

Equal contents become equal bytes, because there is no time in them.
"""

import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, Protocol

_GZIP_MEMBER: Final = 31  # wbits of zlib: a gzip header and trailer, with the largest window


class _Packer(Protocol):
    def compress(self, data: bytes, /) -> bytes:
        """Return the next compressed bytes, if there are any."""

    def flush(self) -> bytes:
        """Return the rest."""


def packed(pieces: Iterable[bytes], compression: str) -> Iterator[bytes]:
    """Yield compressed pieces.

    `compression` is `gzip`, `zstd`, or `none` for the pieces as they are. Raises `ExtraMissing`.
    """
    if compression == "none":
        yield from pieces
        return
    packer = _PACKERS[compression]()
    yield from map(packer.compress, pieces)
    yield packer.flush()


def _gzip() -> _Packer:
    return zlib.compressobj(wbits=_GZIP_MEMBER)


def _zstd() -> _Packer:
    from data_pipeline.storage.zstd import zstd

    return zstd.ZstdCompressor(options={zstd.CompressionParameter.checksum_flag: 1})


_PACKERS: Final[Mapping[str, Callable[[], _Packer]]] = {"gzip": _gzip, "zstd": _zstd}
