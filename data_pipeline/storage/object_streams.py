"""The content of one version of an object, read once."""

from collections.abc import Callable
from typing import Any, Protocol

from data_pipeline.artefact_errors import ArtefactMissing, SourceChanged
from data_pipeline.storage import s3
from data_pipeline.storage.object_versions import ObjectVersion, shown_uri


class OpenAt(Protocol):
    """A request for a version from a byte on."""

    def __call__(self, start: int, etag: str | None) -> tuple[ObjectVersion, Any]:
        """Return the version and its open body."""


class ObjectStream:
    """An open object. A lost connection is replaced, as long as this version of the object exists."""

    def __init__(self, open_at: OpenAt, *, etag: str | None, on_lost: Callable[[s3.CallFailure, int], None]) -> None:
        """Open the object. `on_lost` waits after a lost connection, and raises an error after the last one."""
        self._open_at, self._on_lost = open_at, on_lost
        self.version, self._body = open_at(0, etag)
        self.position = 0  # bytes read so far

    def read(self, size: int, /) -> bytes:
        """Return at most this number of bytes, or none at the end. Raises `SourceChanged` or `StoreError`."""
        losses = 0
        while True:
            try:
                with s3.translated_failures():  # also if fewer bytes come than announced
                    data: bytes = self._body.read(size)
            except s3.CallFailure as failure:
                losses += 1
                self.close()
                self._on_lost(failure, losses)
                self._reopen()
            else:
                self.position += len(data)
                return data

    def close(self) -> None:
        """Close the connection, unless the object was read to its end."""
        self._body.close()

    def _reopen(self) -> None:
        try:
            _, self._body = self._open_at(self.position, self.version.etag)
        except ArtefactMissing as error:
            path = shown_uri(self.version.bucket, self.version.key)
            raise SourceChanged(path=path, change="it was deleted") from error
