"""Objects in buckets: the small surface through which everything else uses object storage. Imports no Django."""

import os
import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields, replace
from datetime import UTC, datetime
from functools import partial
from itertools import count
from typing import Any, TypeVar

from data_pipeline import conf
from data_pipeline.domain.retry_decisions import Backoff, next_wait, parse_retry_after
from data_pipeline.domain.uris import without_query
from data_pipeline.storage import s3
from data_pipeline.storage.object_streams import PIECE_BYTES, ObjectStream
from data_pipeline.storage.object_versions import ObjectVersion, encoded_metadata, shown_uri
from data_pipeline.storage.object_writer import ObjectWriter
from data_pipeline.storage.store_failures import Request, error_of, is_transient
from data_pipeline.storage_errors import StoreRefused
from data_pipeline.structured_log import WARNING, log_event
from seeder.texts import Text

ATTEMPTS = 4  # of each request
MAX_WAIT_S = 120.0  # a server that wants a longer wait is not available
_BACKOFF = Backoff()
_WITHOUT_REASON = {301, 400, 401, 403, 404}  # answers to HEAD have no body with the reason

Result = TypeVar("Result")


class ObjectStore:
    """The buckets at one endpoint. Threads can share it; a forked process needs its own.

    Each request is attempted four times while the server is busy or does not answer. Methods raise `StoreError`, and
    `ArtefactMissing` for a missing object.
    """

    def __init__(
        self,
        settings: conf.Settings,
        *,
        sleep: Callable[[float], None] = time.sleep,
        random: Callable[[], float] = random.random,
    ) -> None:
        self._endpoint = without_query(settings.s3_endpoint_url) or "Amazon S3"
        self._sleep, self._random = sleep, random
        self._max_seconds = _seconds_of_a_piece(settings)
        request = Request(operation="using", bucket="", path="it", endpoint=self._endpoint)
        self._client = self._send(request, lambda: s3.open_client(settings))

    def head(self, bucket: str, key: str) -> ObjectVersion:
        """Return the present version of an object, with its metadata."""
        request = self._request("reading", bucket, key)
        try:
            answer = self._attempt(request, partial(self._client.head_object, Bucket=bucket, Key=key))
        except s3.CallFailure as failure:
            if failure.status in _WITHOUT_REASON:
                first_byte = partial(self._client.get_object, Bucket=bucket, Key=key, Range="bytes=0-0")
                self._send(request, first_byte)["Body"].close()
            raise error_of(failure, request) from failure
        return ObjectVersion.of_answer(bucket, key, answer)

    def get(self, bucket: str, key: str, *, etag: str | None = None) -> ObjectStream:
        """Open an object in one version: that of the etag, otherwise the present one.

        Raises `SourceChanged`, also while it is read, if the version does not exist any more.
        """
        request = self._request("reading", bucket, key)

        def open_at(start: int, etag: str | None) -> tuple[ObjectVersion, Any]:
            given: dict[str, Any] = {"IfMatch": etag} if etag else {}
            if start:
                given["Range"] = f"bytes={start}-"
            answer = self._send(request, partial(self._client.get_object, Bucket=bucket, Key=key, **given))
            if start and not answer.get("ContentRange", "").startswith(f"bytes {start}-"):
                answer["Body"].close()
                raise StoreRefused(**request.facts, code="Range", cause=Text("it does not read from the middle"))
            return ObjectVersion.of_answer(bucket, key, answer), answer["Body"]

        def on_lost(failure: s3.CallFailure, losses: int) -> None:
            failure.attempts = losses
            if not self._wait(failure, request):
                raise error_of(failure, request) from failure

        return ObjectStream(open_at, etag=etag, max_seconds=self._max_seconds, on_lost=on_lost)

    @contextmanager
    def put(
        self,
        bucket: str,
        key: str,
        *,
        metadata: Mapping[str, str] | None = None,
        overwrite: bool = True,
        content_type: str = "application/octet-stream",
    ) -> Iterator[ObjectWriter]:
        """Write an object, which becomes visible after the block.

        It never does if the block raises.

        Without `overwrite`, raises `ObjectExists` if there is an object at the end of the block.
        """
        writer = self.begin(bucket, key, metadata=metadata, overwrite=overwrite, content_type=content_type)
        try:
            yield writer
            writer.complete()
        except BaseException:
            writer.abort()
            raise

    def begin(
        self,
        bucket: str,
        key: str,
        *,
        metadata: Mapping[str, str] | None = None,
        overwrite: bool = True,
        content_type: str = "application/octet-stream",
    ) -> ObjectWriter:
        """Begin to write an object as `put` does. The caller completes or aborts it."""
        given = {
            "Bucket": bucket,
            "Key": key,
            "ContentType": content_type,
            "Metadata": encoded_metadata(metadata or {}),
        }
        send = partial(self._send, self._request("writing", bucket, key, writes=True))
        return ObjectWriter(self._client, send, given, condition={} if overwrite else {"IfNoneMatch": "*"})

    def copy(self, bucket: str, key: str, new_key: str) -> None:
        """Copy an object of at most 5 GB inside its bucket."""
        request = self._request("writing", bucket, new_key, writes=True)
        copy = partial(self._client.copy_object, Bucket=bucket, Key=new_key)
        self._send(request, partial(copy, CopySource={"Bucket": bucket, "Key": key}))

    def delete(self, bucket: str, key: str) -> None:
        """Delete an object, if there is one."""
        request = self._request("deleting", bucket, key, writes=True)
        self._send(request, partial(self._client.delete_object, Bucket=bucket, Key=key))

    def list(self, bucket: str, *, prefix: str = "", after: str = "") -> Iterator[ObjectVersion]:
        """Yield the objects of a bucket in order of keys.

        Each request returns a thousand.

        The key of the last one is a checkpoint: a listing `after` it continues there.
        """
        request = replace(self._request("listing", bucket, prefix), lists=True)
        position: dict[str, Any] = {"StartAfter": after} if after else {}
        while True:
            page = self._send(request, partial(self._client.list_objects_v2, Bucket=bucket, Prefix=prefix, **position))
            for found in page.get("Contents", []):
                yield ObjectVersion(
                    bucket=bucket,
                    key=found["Key"],
                    size=found["Size"],
                    etag=found["ETag"],
                    modified_at=found["LastModified"].astimezone(UTC),
                )
            if not page.get("IsTruncated"):
                return
            position = {"ContinuationToken": page["NextContinuationToken"]}

    def _request(self, operation: str, bucket: str, key: str, *, writes: bool = False) -> Request:
        return Request(
            operation=operation, bucket=bucket, path=shown_uri(bucket, key), endpoint=self._endpoint, writes=writes
        )

    def _send(self, request: Request, send: Callable[[], Result], *, is_conditional_write: bool = False) -> Result:
        """Send a request. Raises `StoreError` or another error that explains the failure."""
        try:
            return self._attempt(request, send, is_conditional_write=is_conditional_write)
        except s3.CallFailure as failure:
            raise error_of(failure, request) from failure

    def _attempt(self, request: Request, send: Callable[[], Result], *, is_conditional_write: bool = False) -> Result:
        """Send a request, again while the server is busy. Raises `CallFailure`."""
        for attempt in count(1):
            try:
                with s3.translated_failures():
                    return send()
            except s3.CallFailure as failure:
                failure.attempts = attempt
                if not self._wait(failure, request, is_conditional_write=is_conditional_write):
                    raise
        raise AssertionError("count() does not end")

    def _wait(self, failure: s3.CallFailure, request: Request, *, is_conditional_write: bool = False) -> bool:
        """Wait before the next attempt, as long as the server wants. Return whether there is one."""
        if not is_transient(failure, is_conditional_write=is_conditional_write):
            return False
        wait = next_wait(
            _BACKOFF,
            attempt=failure.attempts,
            attempts=ATTEMPTS,
            random=self._random(),
            retry_after_s=parse_retry_after(failure.headers, datetime.now(UTC)),
            left_s=MAX_WAIT_S,
        )
        if wait is None:
            return False
        log_event(
            WARNING,
            "object_request_retried",
            operation=request.operation,
            object=request.path,
            attempt=failure.attempts,
            reason=failure.code or failure.status,
            wait_seconds=round(wait, 3),
        )
        self._sleep(wait)
        return True


def _seconds_of_a_piece(settings: conf.Settings) -> float | None:
    if not settings.s3_min_rate_kb_s:
        return None
    return max(settings.s3_read_timeout_s, PIECE_BYTES / (settings.s3_min_rate_kb_s * 1024))


def shared_store(settings: conf.Settings) -> ObjectStore:
    """Return the store of these settings. All threads of this process share it, and its connections."""
    values = tuple(getattr(settings, one.name) for one in fields(settings) if one.name.startswith("s3_"))
    key = os.getpid(), values
    if key not in _shared_stores:
        _shared_stores[key] = ObjectStore(settings)
    return _shared_stores[key]


_shared_stores: dict[tuple[int, tuple[object, ...]], ObjectStore] = {}
