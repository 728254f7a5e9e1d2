"""An upload while it is received: measured, checked and hashed on its way to a temporary place."""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterator
from datetime import timedelta
from typing import Self

from data_pipeline.storage.file_formats import HEAD_BYTES, recognise
from data_pipeline.upload_errors import EmptyUpload, UploadTooLarge
from seeder.domain.human_format import format_size
from seeder.texts import Text

ABANDONED_AFTER = timedelta(days=1)  # without a byte: the server of the upload was killed


class IncomingUpload(ABC):
    """An upload at a temporary place, which its block deletes.

    `publish` gives it its final name before, which is a hash of its bytes.
    """

    def __init__(self, *, max_bytes: int) -> None:
        self.size = 0  # bytes received so far
        self._max_bytes = max_bytes
        self._head = b""
        self._blake2b = hashlib.blake2b(digest_size=32)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._discard()

    def write(self, data: bytes) -> None:
        """Append bytes. Raises `UploadTooLarge`, `UnsupportedFormat`, `UploadNotStored` or `StoreError`."""
        self.size += len(data)
        if self.size > self._max_bytes:
            raise UploadTooLarge(limit=format_size(self._max_bytes))
        if len(self._head) < HEAD_BYTES:
            self._head += data[: HEAD_BYTES - len(self._head)]
            if len(self._head) == HEAD_BYTES:
                self._require_known_format()
        self._blake2b.update(data)
        self._append(data)

    def finish(self) -> None:
        """Make all bytes durable. Raises `EmptyUpload` and what `write` raises."""
        if not self.size:
            raise EmptyUpload
        self._require_known_format()
        self._close()

    @property
    def content_blake2b(self) -> str:
        """The BLAKE2b-256 of the bytes in hexadecimal digits."""
        return self._blake2b.hexdigest()

    @property
    @abstractmethod
    def uri(self) -> str:
        """The final address."""

    @abstractmethod
    def publish(self) -> None:
        """Give the upload its final name, unless equal bytes have it.

        The caller holds the lock of the content. Raises `UploadNotStored` or `StoreError`.
        """

    @abstractmethod
    def _discard(self) -> None:
        """Delete what is at the temporary place, if anything."""

    @abstractmethod
    def _append(self, data: bytes) -> None:
        """Write bytes to the temporary place."""

    @abstractmethod
    def _close(self) -> None:
        """Write what is buffered, so that it survives a crash."""

    def _require_known_format(self) -> None:
        recognise(self._head, path=Text("The upload"))


class UploadPlace(ABC):
    """Where uploads are stored."""

    @abstractmethod
    def receive(self, *, max_bytes: int) -> IncomingUpload:
        """Begin an upload. Raises `UploadNotStored` or `StoreError`."""

    @abstractmethod
    def published(self) -> Iterator[tuple[str, str]]:
        """Yield the content hash and the address of each published upload."""

    @abstractmethod
    def remove(self, content_blake2b: str) -> None:
        """Delete a published upload. The caller holds the lock of the content."""

    @abstractmethod
    def remove_abandoned(self, *, dry_run: bool) -> int:
        """Delete temporary uploads of killed servers. Return their number."""
