"""Unpacks gzip and zstd within limits.

A small file can unpack to a size that fills a disk.
"""

import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final, Protocol

from data_pipeline.artefact_errors import DamagedArtefact, SuspiciousCompression, UnpacksTooLarge
from data_pipeline.storage.hashed_source import HashedSource
from seeder.domain.human_format import format_size
from seeder.texts import Text

MAX_RATIO = 200  # tables of text reach 10 to 50; a bomb of gzip reaches 1,000
_RATIO_COUNTS_FROM = 16 << 20  # bytes unpacked; a smaller file of one repeated row is harmless
_PACKED_AT_ONCE = 1 << 18  # bytes
_PIECE_BYTES = 1 << 18
_GZIP_MEMBER = 31  # wbits of zlib: a gzip header and trailer, with the largest window


class _Member(Protocol):
    """A member of gzip data, or a frame of zstd data."""

    @property
    def pending(self) -> int:
        """Bytes that were given and are not unpacked yet."""

    @property
    def eof(self) -> bool:
        """Whether the member has ended."""

    @property
    def needs_input(self) -> bool:
        """Whether nothing can be unpacked without more bytes."""

    @property
    def unused_data(self) -> bytes:
        """Bytes that were given behind the end of the member."""

    def unpack(self, data: bytes) -> bytes:
        """Return the next bytes, at most `_PIECE_BYTES`. Raises `_Invalid`."""


class _Invalid(Exception):
    """Bytes are not those of the format."""


def require_bounded(path: Path | str, *, unpacked: int, packed: int, max_unpacked_bytes: int) -> None:
    """Raise an error if this number of bytes must not be unpacked."""
    if unpacked > max_unpacked_bytes:
        raise UnpacksTooLarge(path=path, limit=format_size(max_unpacked_bytes))
    if unpacked > _RATIO_COUNTS_FROM and unpacked > packed * MAX_RATIO:
        raise SuspiciousCompression(path=path, ratio=MAX_RATIO)


def unpacked(source: HashedSource, compression: str, *, max_unpacked_bytes: int) -> Iterator[bytes]:
    """Yield the content of all members of a compressed file.

    `compression` is `gzip` or `zstd`. Raises `DamagedArtefact`, `UnpacksTooLarge`, `SuspiciousCompression` or
    `ExtraMissing`.
    """
    size, data = 0, source.read(_PACKED_AT_ONCE)
    while data:
        member, start = _MEMBERS[compression](), source.position - len(data)
        while True:
            place = source.position - len(data) - member.pending
            try:
                piece = member.unpack(data)
            except _Invalid as error:
                problem = Text(
                    "its {compression} data is invalid after byte {place:,} ({error})",
                    compression=compression,
                    place=place,
                    error=str(error),
                )
                if place == start > 0:
                    problem = Text(
                        "other data follows its {compression} data, from byte {position:,} on",
                        compression=compression,
                        position=start + 1,
                    )
                raise DamagedArtefact(path=source.path, problem=problem) from error
            data = b""
            size += len(piece)
            read = source.position - member.pending - len(member.unused_data)
            require_bounded(source.path, unpacked=size, packed=read, max_unpacked_bytes=max_unpacked_bytes)
            yield piece
            if member.eof:
                break
            if member.needs_input and not (data := source.read(_PACKED_AT_ONCE)):
                problem = Text(
                    "its {compression} data ends early, at byte {size:,}", compression=compression, size=source.size
                )
                raise DamagedArtefact(path=source.path, problem=problem)
        data = _without_padding(member.unused_data, source)


def _without_padding(data: bytes, source: HashedSource) -> bytes:
    """Return what follows a member without padding zeros.

    Tapes and some copies add them.
    """
    while not (rest := data.lstrip(b"\0")):
        data = source.read(_PACKED_AT_ONCE)
        if not data:
            break
    return rest


class _GzipMember:
    def __init__(self) -> None:
        self._member = zlib.decompressobj(wbits=_GZIP_MEMBER)
        self.needs_input = True

    @property
    def pending(self) -> int:
        return len(self._member.unconsumed_tail)

    @property
    def eof(self) -> bool:
        return self._member.eof

    @property
    def unused_data(self) -> bytes:
        return self._member.unused_data

    def unpack(self, data: bytes) -> bytes:
        try:
            piece = self._member.decompress(self._member.unconsumed_tail + data, _PIECE_BYTES)
        except zlib.error as error:
            raise _Invalid(str(error).rpartition(": ")[2]) from error
        # More may follow a piece of full length without further input.
        self.needs_input = not self.pending and len(piece) < _PIECE_BYTES
        return piece


class _ZstdFrame:
    """A frame of zstd data.

    libzstd refuses a window of more than 128 MB, which only options such as `--long=31` give.
    """

    pending = 0  # it keeps what it was given

    def __init__(self) -> None:
        from data_pipeline.storage.zstd import zstd

        self._frame, self._error = zstd.ZstdDecompressor(), zstd.ZstdError

    @property
    def eof(self) -> bool:
        return self._frame.eof

    @property
    def needs_input(self) -> bool:
        return self._frame.needs_input

    @property
    def unused_data(self) -> bytes:
        return self._frame.unused_data

    def unpack(self, data: bytes) -> bytes:
        try:
            return self._frame.decompress(data, _PIECE_BYTES)
        except self._error as error:
            raise _Invalid(str(error).rpartition(": ")[2].rstrip(".")) from error


_MEMBERS: Final[Mapping[str, Callable[[], _Member]]] = {"gzip": _GzipMember, "zstd": _ZstdFrame}
