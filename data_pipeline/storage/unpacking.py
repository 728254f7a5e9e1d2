"""Unpacks gzip within limits.

A small file can unpack to a size that fills a disk.
"""

import zlib
from collections.abc import Iterator
from pathlib import Path

from data_pipeline.artefact_errors import DamagedArtefact, SuspiciousCompression, UnpacksTooLarge
from data_pipeline.storage.hashed_source import HashedSource
from seeder.domain.human_format import format_size

MAX_RATIO = 200  # tables of text reach 10 to 50; a bomb of gzip reaches 1,000
_RATIO_COUNTS_FROM = 16 << 20  # bytes unpacked; a smaller file of one repeated row is harmless
_PACKED_AT_ONCE = 1 << 18  # bytes
_PIECE_BYTES = 1 << 18
_GZIP_MEMBER = 31  # wbits of zlib: a gzip header and trailer, with the largest window


def require_bounded(path: Path | str, *, unpacked: int, packed: int, max_unpacked_bytes: int) -> None:
    """Raise an error if this number of bytes must not be unpacked."""
    if unpacked > max_unpacked_bytes:
        raise UnpacksTooLarge(path=path, limit=format_size(max_unpacked_bytes))
    if unpacked > _RATIO_COUNTS_FROM and unpacked > packed * MAX_RATIO:
        raise SuspiciousCompression(path=path, ratio=MAX_RATIO)


def unpacked_gzip(source: HashedSource, *, max_unpacked_bytes: int) -> Iterator[bytes]:
    """Yield the content of all members of a gzip file."""
    unpacked = 0
    packed = source.read(_PACKED_AT_ONCE)
    while packed:
        member = zlib.decompressobj(wbits=_GZIP_MEMBER)
        start = source.position - len(packed)
        while True:
            piece = _inflate(member, packed, source, start)
            packed = member.unconsumed_tail or member.unused_data
            unpacked += len(piece)
            read = source.position - len(packed)
            require_bounded(source.path, unpacked=unpacked, packed=read, max_unpacked_bytes=max_unpacked_bytes)
            yield piece
            if member.eof:
                break
            # More may follow a piece of full length without further input.
            needs_input = not packed and len(piece) < _PIECE_BYTES
            if needs_input and not (packed := source.read(_PACKED_AT_ONCE)):
                raise DamagedArtefact(path=source.path, problem=f"its gzip data ends early, at byte {source.size:,}")
        packed = _without_padding(packed, source)


def _without_padding(packed: bytes, source: HashedSource) -> bytes:
    """Return what follows a member without padding zeros.

    Tapes and some copies add them.
    """
    while not (rest := packed.lstrip(b"\0")):
        packed = source.read(_PACKED_AT_ONCE)
        if not packed:
            break
    return rest


def _inflate(member: "zlib._Decompress", packed: bytes, source: HashedSource, start: int) -> bytes:
    """Return the next unpacked piece of a member.

    The member starts at a byte of the file.
    """
    place = source.position - len(packed)
    try:
        return member.decompress(packed, _PIECE_BYTES)
    except zlib.error as error:
        if place == start > 0:
            problem = f"other data follows its gzip data, from byte {start + 1:,} on"
        else:
            problem = f"its gzip data is invalid after byte {place:,} ({str(error).rpartition(': ')[2]})"
        raise DamagedArtefact(path=source.path, problem=problem) from error
