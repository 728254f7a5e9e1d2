"""The bytes of an artefact, hashed while they are read."""

import hashlib
import io
import os
from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING

from seeder.texts import Text

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_HASHED_AT_ONCE = 1 << 20  # bytes


class HashedSource(ABC):
    """An open artefact that is read once, to its end.

    It must not change meanwhile.
    """

    def __init__(self, path: Path | str, *, size: int) -> None:
        self.path = path  # for messages
        self.size = size  # bytes
        self.position = 0  # bytes read so far
        self.is_hashed = True  # can be changed before the first read
        self._sha256 = hashlib.sha256()
        self._blake2b = hashlib.blake2b(digest_size=32)
        self._is_complete = False

    @abstractmethod
    def close(self) -> None:
        """Close the artefact."""

    @abstractmethod
    def read_at(self, offset: int, size: int) -> bytes:
        """Return bytes at a place. They are not hashed, and the position stays."""

    @abstractmethod
    def _next(self, size: int) -> bytes:
        """Return at most this number of bytes, or none at the end."""

    @abstractmethod
    def _require_unchanged(self) -> None:
        """Raise `SourceChanged` if the end is that of another version.

        The version is the one that was opened.
        """

    def read(self, size: int, /) -> bytes:
        """Return at most this number of bytes, or none at the end. Raises `SourceChanged` at the end."""
        data = self._next(size)
        if data:
            if self.is_hashed:
                self._sha256.update(data)
                self._blake2b.update(data)
            self.position += len(data)
        elif size and not self._is_complete:
            self._require_unchanged()
            self._is_complete = True
        return data

    def hash_rest(self) -> None:
        """Read to the end, for formats whose parts were read by `read_at`."""
        while self.read(_HASHED_AT_ONCE):
            pass

    @property
    def file_sha256(self) -> str:
        """The SHA-256 of the artefact in hexadecimal digits.

        It is known after the end was read.
        """
        self._require_complete()
        return self._sha256.hexdigest()

    @property
    def content_blake2b(self) -> str:
        """The BLAKE2b-256 of the artefact in hexadecimal digits.

        It is known after the end was read.
        """
        self._require_complete()
        return self._blake2b.hexdigest()

    def _length_change(self) -> str | None:
        """Return how the number of bytes differs, or None."""
        if self.position == self.size:
            return None
        return Text("it has {size:,} bytes, but {position:,} were read", size=self.size, position=self.position)

    def _require_complete(self) -> None:
        if not (self._is_complete and self.is_hashed):
            raise RuntimeError(f"{self.path} was not hashed to its end.")


class RandomAccess(io.RawIOBase):
    """A source for a reader that seeks. Closing it leaves the source open."""

    def __init__(self, source: HashedSource) -> None:
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
