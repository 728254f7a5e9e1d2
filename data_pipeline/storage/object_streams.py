"""The content of one version of an object, read once."""

import weakref
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any, Protocol

from data_pipeline.artefact_errors import ArtefactMissing, SourceChanged
from data_pipeline.storage import s3
from data_pipeline.storage.object_versions import ObjectVersion, shown_uri
from data_pipeline.storage.read_limits import ReadLimit
from seeder.texts import Text

PIECE_BYTES = 1 << 20  # read at once, within a time


class OpenAt(Protocol):
    """A request for a version from a byte on."""

    def __call__(self, start: int, etag: str | None) -> tuple[ObjectVersion, Any]:
        """Return the version and its open body."""


class ObjectStream:
    """An open object. A lost connection is replaced, as long as this version of the object exists."""

    def __init__(
        self,
        open_at: OpenAt,
        *,
        etag: str | None,
        max_seconds: float | None,
        on_lost: Callable[[s3.CallFailure, int], None],
    ) -> None:
        """Open the object.

        A connection is lost, too, if a piece of `PIECE_BYTES` takes more than `max_seconds`. `on_lost` waits after a
        lost connection, and raises an error after the last one.
        """
        self._open_at, self._on_lost = open_at, on_lost
        self.version, self._body = open_at(0, etag)
        self.position = 0  # bytes read so far
        self._limit = ReadLimit(max_seconds) if max_seconds else None
        if self._limit:
            weakref.finalize(self, self._limit.close)  # also of a stream that nothing closes

    def read(self, size: int, /) -> bytes:
        """Return at most this number of bytes, or none at the end. Raises `SourceChanged` or `StoreError`."""
        losses = 0
        while True:
            try:
                data = self._read_piece(min(size, PIECE_BYTES))
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

    def _read_piece(self, size: int) -> bytes:
        """Read once. Raises `CallFailure`, also if fewer bytes come than announced."""
        try:
            with s3.translated_failures(), self._limit.applied(self._body) if self._limit else nullcontext():
                data: bytes = self._body.read(size)
        except s3.CallFailure as failure:
            if self._limit and self._limit.is_expired:
                failure.cause = Text("fewer bytes per second than S3_MIN_RATE_KB_S")
            raise
        return data

    def _reopen(self) -> None:
        try:
            _, self._body = self._open_at(self.position, self.version.etag)
        except ArtefactMissing as error:
            path = shown_uri(self.version.bucket, self.version.key)
            raise SourceChanged(path=path, change=Text("it was deleted")) from error
