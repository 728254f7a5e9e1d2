"""The content of one version of an object, read once."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Event, Timer
from typing import Any, Protocol

from data_pipeline.artefact_errors import ArtefactMissing, SourceChanged
from data_pipeline.storage import s3
from data_pipeline.storage.object_versions import ObjectVersion, shown_uri

PIECE_BYTES = 1 << 20  # read at once, within a time
_EXPIRED_S = 0.001  # a timeout of the socket that ends a read


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
        self._open_at, self._max_seconds, self._on_lost = open_at, max_seconds, on_lost
        self.version, self._body = open_at(0, etag)
        self.position = 0  # bytes read so far

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
        with _deadline(self._body, self._max_seconds) as is_expired:
            try:
                with s3.translated_failures():
                    data: bytes = self._body.read(size)
            except s3.CallFailure as failure:
                if is_expired():
                    failure.cause = "fewer bytes per second than S3_MIN_RATE_KB_S"
                raise
        return data

    def _reopen(self) -> None:
        try:
            _, self._body = self._open_at(self.position, self.version.etag)
        except ArtefactMissing as error:
            path = shown_uri(self.version.bucket, self.version.key)
            raise SourceChanged(path=path, change="it was deleted") from error


@contextmanager
def _deadline(body: Any, seconds: float | None) -> Iterator[Callable[[], bool]]:
    """End a read that takes longer, also if bytes come. Yield whether it was ended.

    The timeout of a socket starts anew with each byte, and applies to the next one if it is changed meanwhile.
    """
    if seconds is None:
        yield lambda: False
        return
    expired = Event()

    def expire() -> None:
        expired.set()
        with suppress(AttributeError):  # the body has just ended
            body.set_socket_timeout(_EXPIRED_S)

    timer = Timer(seconds, expire)
    timer.daemon = True
    timer.start()
    try:
        yield expired.is_set
    finally:
        timer.cancel()
