"""Compound files of OLE: streams in chains of sectors.

They hold XLS workbooks, and all encrypted ones.
"""

import struct
from array import array
from collections.abc import Iterator

from data_pipeline.artefact_errors import DamagedArtefact
from data_pipeline.storage.hashed_source import HashedSource
from seeder.texts import Text

_LAST_REGULAR = 0xFFFFFFF9  # larger sector numbers have other meanings, such as the end of a chain
_HEADER_BYTES = 512
_ENTRY_BYTES = 128
_STREAM, _ROOT = 2, 5
_MINI_SECTOR = 64


class OleFile:
    """The streams of a compound file, by name."""

    def __init__(self, source: HashedSource) -> None:
        self._source = source
        header = source.read_at(0, _HEADER_BYTES)
        if len(header) < _HEADER_BYTES:
            raise self._damaged(Text("its header ends early"))
        [shift] = struct.unpack_from("<H", header, 30)
        if shift not in {9, 12}:
            raise self._damaged(Text("its sectors have 2^{shift} bytes", shift=shift))
        self._sector_bytes = 1 << shift
        self._max_sectors = source.size // self._sector_bytes + 1
        first_directory, self._mini_below, first_mini_table = struct.unpack_from("<I4xII", header, 48)
        self._next = self._numbers(self._table_sectors(header))
        self._mini_next = self._numbers(self._chain(first_mini_table, self._next))
        self._entries: dict[str, tuple[int, int]] = {}  # first sector, size in bytes
        self._root = (_LAST_REGULAR + 1, 0)
        self._read_directory(first_directory)

    def __contains__(self, name: str) -> bool:
        return name in self._entries

    def read(self, name: str) -> bytes:
        """Return the content of a stream."""
        first, size = self._entries[name]
        if size >= self._mini_below:
            return self._content(first)[:size]
        container = self._content(self._root[0])
        sectors = self._chain(first, self._mini_next)
        return b"".join(container[one * _MINI_SECTOR : (one + 1) * _MINI_SECTOR] for one in sectors)[:size]

    def _read_directory(self, first: int) -> None:
        directory = self._content(first)
        for place in range(0, len(directory) - _ENTRY_BYTES + 1, _ENTRY_BYTES):
            entry = directory[place : place + _ENTRY_BYTES]
            name_bytes, kind = struct.unpack_from("<HB", entry, 64)
            start_and_size = struct.unpack_from("<II", entry, 116)
            if kind == _STREAM:
                name = entry[: max(min(name_bytes, 64) - 2, 0)].decode("utf-16-le", "replace")
                self._entries[name] = start_and_size
            elif kind == _ROOT:
                self._root = start_and_size

    def _table_sectors(self, header: bytes) -> Iterator[int]:
        """Yield the sectors of the table of chains. The header has the first 109."""
        yield from (one for one in struct.unpack_from("<109I", header, 76) if one <= _LAST_REGULAR)
        [sector] = struct.unpack_from("<I", header, 68)
        for _ in range(self._max_sectors):
            if sector > _LAST_REGULAR:
                return
            *sectors, sector = struct.unpack(f"<{self._sector_bytes // 4}I", self._sector(sector))
            yield from (one for one in sectors if one <= _LAST_REGULAR)

    def _numbers(self, sectors: Iterator[int]) -> "array[int]":
        """Return the numbers in sectors."""
        numbers = array("I")
        for sector in sectors:
            numbers.extend(struct.unpack(f"<{self._sector_bytes // 4}I", self._sector(sector)))
            # Eight small sectors fit into the smallest sector, and the last table sectors are not full.
            if len(numbers) > self._max_sectors * 8 + self._sector_bytes:
                raise self._damaged(Text("its sector table is longer than the file"))
        return numbers

    def _chain(self, sector: int, following: "array[int]") -> Iterator[int]:
        """Yield the sectors of a chain."""
        for _ in range(len(following) + 1):
            if sector > _LAST_REGULAR:
                return
            if sector >= len(following):
                break
            yield sector
            sector = following[sector]
        raise self._damaged(Text("a chain of sectors has no end"))

    def _content(self, first: int) -> bytes:
        return b"".join(self._sector(sector) for sector in self._chain(first, self._next))

    def _sector(self, number: int) -> bytes:
        data = self._source.read_at((number + 1) * self._sector_bytes, self._sector_bytes)
        if not data:
            raise self._damaged(Text("a sector is beyond its end"))
        return data.ljust(self._sector_bytes, b"\0")  # some programs cut the last one

    def _damaged(self, problem: str) -> DamagedArtefact:
        return DamagedArtefact(path=self._source.path, problem=problem)
