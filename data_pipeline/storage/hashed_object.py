"""The bytes of a remote artefact, hashed while they are read."""

import tempfile
from typing import IO, Protocol

from data_pipeline.artefact_errors import ArtefactUnreadable, SourceChanged
from data_pipeline.storage.file_formats import HEAD_BYTES
from data_pipeline.storage.hashed_source import HashedSource
from data_pipeline.storage_errors import TooLargeToSpool
from seeder.domain.human_format import format_size

_COPIED_AT_ONCE = 1 << 20  # bytes


class RemoteStream(Protocol):
    """The content of one version, read once."""

    def read(self, size: int, /) -> bytes:
        """Return at most this number of bytes, or none at the end."""

    def close(self) -> None:
        """Close the connection."""


class RemoteAddress(Protocol):
    """An artefact on another machine, in one version."""

    @property
    def path(self) -> str:
        """The address for messages."""

    @property
    def size(self) -> int:
        """The size in bytes."""

    @property
    def max_spooled_bytes(self) -> int:
        """The size up to which it may be copied."""

    def open(self) -> RemoteStream:
        """Open the artefact."""


class HashedObject(HashedSource):
    """An open object. It is streamed, and copied to a temporary file only if a format needs random access."""

    def __init__(self, address: RemoteAddress) -> None:
        super().__init__(address.path, size=address.size)
        self._max_spooled_bytes = address.max_spooled_bytes
        self._stream = address.open()
        self._copy: IO[bytes] | None = None
        try:
            self._head = self._pending = self._read_head()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the connection, and delete the copy."""
        self._stream.close()
        if self._copy is not None:
            self._copy.close()

    def read_at(self, offset: int, size: int) -> bytes:
        """Return bytes at a place. Beyond the first ones, this copies the object."""
        if offset + size <= len(self._head) or len(self._head) == self.size:
            return self._head[offset : offset + size]
        try:
            copy = self._copy or self._spool()
            copy.seek(offset)
            return copy.read(size)
        except OSError as error:
            raise ArtefactUnreadable(path=self.path, cause=error.strerror or error) from error

    def _next(self, size: int) -> bytes:
        first, self._pending = self._pending[:size], self._pending[size:]
        return first + self._stream.read(size - len(first)) if len(first) < size else first

    def _require_unchanged(self) -> None:
        """Compare the numbers of bytes. The content is that of one version in any case."""
        if change := self._length_change():
            raise SourceChanged(path=self.path, change=change)

    def _read_head(self) -> bytes:
        head = b""
        while len(head) < HEAD_BYTES and (piece := self._stream.read(HEAD_BYTES - len(head))):
            head += piece
        return head

    def _spool(self) -> IO[bytes]:
        """Copy the object, which is hashed meanwhile."""
        if self.size > self._max_spooled_bytes:
            sizes = {"size": format_size(self.size), "limit": format_size(self._max_spooled_bytes)}
            raise TooLargeToSpool(path=self.path, **sizes)
        self._copy = tempfile.TemporaryFile()  # noqa: SIM115  # closed with the object
        while piece := self.read(_COPIED_AT_ONCE):
            self._copy.write(piece)
        self.position = 0  # the sheet is read after this
        return self._copy
