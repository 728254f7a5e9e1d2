"""The bytes of a file on disk, hashed while they are read."""

import hashlib
import io
import os
from typing import TYPE_CHECKING

from data_pipeline.artefact_errors import ArtefactUnreadable, SourceChanged
from data_pipeline.storage.file_addresses import FileVersion, LocalAddress

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_HASHED_AT_ONCE = 1 << 20  # bytes


class HashedFile:
    """An open file that is read once, from its beginning to its end. It must not change meanwhile."""

    def __init__(self, address: LocalAddress) -> None:
        self.path = address.path
        self._file = address.open()
        self._version = self._version_now()
        if address.version is not None and address.version != self._version:
            self.close()
            raise SourceChanged(path=self.path, change=address.version.change_to(self._version))
        self._sha256 = hashlib.sha256()
        self._blake2b = hashlib.blake2b(digest_size=32)
        self._is_complete = False
        self.size = self._version.size  # bytes
        self.position = 0  # bytes read so far

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def read(self, size: int) -> bytes:
        """Return at most this number of bytes, or none at the end. Raises `SourceChanged` at the end."""
        try:
            data = self._file.read(size)
        except OSError as error:
            raise ArtefactUnreadable(path=self.path, cause=error.strerror or error) from error
        if data:
            self._sha256.update(data)
            self._blake2b.update(data)
            self.position += len(data)
        elif size and not self._is_complete:
            self._require_unchanged()
            self._is_complete = True
        return data

    def read_at(self, offset: int, size: int) -> bytes:
        """Return bytes at a place. They are not hashed, and the position stays."""
        try:
            return os.pread(self._file.fileno(), size, offset)
        except OSError as error:
            raise ArtefactUnreadable(path=self.path, cause=error.strerror or error) from error

    def hash_rest(self) -> None:
        """Read to the end, for formats whose parts were read by `read_at`."""
        while self.read(_HASHED_AT_ONCE):
            pass

    @property
    def file_sha256(self) -> str:
        """The SHA-256 of the file in hexadecimal digits, after its end was read."""
        self._require_complete()
        return self._sha256.hexdigest()

    @property
    def content_blake2b(self) -> str:
        """The BLAKE2b-256 of the file in hexadecimal digits, after its end was read."""
        self._require_complete()
        return self._blake2b.hexdigest()

    def _require_complete(self) -> None:
        if not self._is_complete:
            raise RuntimeError(f"{self.path} was not read to its end.")

    def _require_unchanged(self) -> None:
        """Compare the file with its size and modification time when it was opened."""
        now = self._version_now()
        if now != self._version:
            change = self._version.change_to(now)
        elif self.position != self.size:
            change = f"it has {self.size:,} bytes, but {self.position:,} were read"
        else:
            return
        raise SourceChanged(path=self.path, change=change)

    def _version_now(self) -> FileVersion:
        return FileVersion.of(os.fstat(self._file.fileno()))


class RandomAccess(io.RawIOBase):
    """A source file for a reader that seeks. Closing it leaves the source open."""

    def __init__(self, source: HashedFile) -> None:
        super().__init__()
        self._source = source
        self._offset = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        origin = {os.SEEK_SET: 0, os.SEEK_CUR: self._offset, os.SEEK_END: self._source.size}[whence]
        self._offset = max(origin + offset, 0)
        return self._offset

    def readinto(self, buffer: "WriteableBuffer") -> int:
        target = memoryview(buffer)
        data = self._source.read_at(self._offset, len(target))
        target[: len(data)] = data
        self._offset += len(data)
        return len(data)
