"""Opens zip files within limits.

A directory of a few bytes can promise any number of members of any size.
"""

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from data_pipeline.artefact_errors import DamagedArtefact, EncryptedArtefact, WorkbookRefused
from data_pipeline.storage.hashed_source import HashedSource, RandomAccess
from data_pipeline.storage.unpacking import require_bounded
from seeder.texts import Text

MAX_MEMBERS = 1000  # a workbook has a few members a sheet
_END_RECORD = b"PK\x05\x06"
_LARGE_LOCATOR = b"PK\x06\x07"
_END_RECORD_BYTES = 22
_MAX_COMMENT_BYTES = 1 << 16
_ENCRYPTED_FLAG = 0x1
_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}


class ZipDirectory:
    """The members of a zip file."""

    def __init__(self, source: HashedSource, *, max_unpacked_bytes: int) -> None:
        self.path = source.path
        with zip_errors(self.path):
            self._require_few_members(source)
            self._file = zipfile.ZipFile(io.BufferedReader(RandomAccess(source)))
        self._members = {info.filename: info for info in self._file.infolist()}
        unpacked = sum(info.file_size for info in self._members.values())
        packed = sum(info.compress_size for info in self._members.values())
        require_bounded(self.path, unpacked=unpacked, packed=packed, max_unpacked_bytes=max_unpacked_bytes)

    def __contains__(self, name: str) -> bool:
        return name in self._members

    def size(self, name: str) -> int:
        """Return a member's unpacked size in bytes.

        `open` never exceeds it.
        """
        return self._members[name].file_size

    def open(self, name: str) -> "Member":
        """Open a member for reading."""
        info = self._members.get(name)
        if info is None:
            raise DamagedArtefact(path=self.path, problem=Text("it lacks the part {name}", name=name))
        if info.flag_bits & _ENCRYPTED_FLAG:
            raise EncryptedArtefact(path=self.path)
        if info.compress_type not in _METHODS:
            raise WorkbookRefused(
                path=self.path,
                problem=Text("it is compressed by method {method}", method=info.compress_type),
            )
        with zip_errors(self.path):
            return Member(self._file.open(info), path=self.path)

    def _require_few_members(self, source: HashedSource) -> None:
        """Refuse a large directory before `zipfile` makes an object of each entry."""
        start = max(source.size - _END_RECORD_BYTES - _MAX_COMMENT_BYTES, 0)
        tail = source.read_at(start, source.size - start)
        place = tail.rfind(_END_RECORD)
        if place < 0 or len(tail) < place + _END_RECORD_BYTES:
            raise zipfile.BadZipFile("no end of the directory")
        [members] = struct.unpack_from("<H", tail, place + 10)
        if tail[place - 20 : place - 16] == _LARGE_LOCATOR:
            [offset] = struct.unpack_from("<Q", tail, place - 12)
            [members] = struct.unpack("<Q", source.read_at(offset + 32, 8))
        if members > MAX_MEMBERS:
            raise WorkbookRefused(path=source.path, problem=Text("it has {members:,} members", members=members))


class Member:
    """The unpacked content of a member."""

    def __init__(self, file: IO[bytes], *, path: Path | str) -> None:
        self._file = file
        self._path = path
        self.position = 0  # bytes read so far

    def read(self, size: int, /) -> bytes:
        """Return the next bytes, or none at the end. Raises `DamagedArtefact` if the checksum is wrong."""
        with zip_errors(self._path):
            data = self._file.read(size)
        self.position += len(data)
        return data


@contextmanager
def zip_errors(path: Path | str) -> Iterator[None]:
    """Translate the errors that `zipfile` raises for damaged files."""
    try:
        yield
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, struct.error, NotImplementedError) as error:
        raise DamagedArtefact(
            path=path, problem=Text("its zip data is invalid ({problem})", problem=str(error) or Text("it ends early"))
        ) from error
