"""The bytes of a file on disk, hashed while they are read."""

import os

from data_pipeline.artefact_errors import ArtefactUnreadable, SourceChanged
from data_pipeline.storage.file_addresses import FileVersion, LocalAddress
from data_pipeline.storage.hashed_source import HashedSource


class HashedFile(HashedSource):
    """An open file."""

    def __init__(self, address: LocalAddress) -> None:
        self._file = address.open()
        self._version = self._version_now()
        super().__init__(address.path, size=self._version.size)
        if address.version is not None and address.version != self._version:
            self.close()
            raise SourceChanged(path=self.path, change=address.version.change_to(self._version))

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def read_at(self, offset: int, size: int) -> bytes:
        """Return bytes at a place. They are not hashed, and the position stays."""
        try:
            return os.pread(self._file.fileno(), size, offset)
        except OSError as error:
            raise ArtefactUnreadable(path=self.path, cause=error.strerror or error) from error

    def _next(self, size: int) -> bytes:
        try:
            return self._file.read(size)
        except OSError as error:
            raise ArtefactUnreadable(path=self.path, cause=error.strerror or error) from error

    def _require_unchanged(self) -> None:
        """Compare the file's size and time with those when opened."""
        now = self._version_now()
        change = self._length_change() if now == self._version else self._version.change_to(now)
        if change:
            raise SourceChanged(path=self.path, change=change)

    def _version_now(self) -> FileVersion:
        return FileVersion.of(os.fstat(self._file.fileno()))
