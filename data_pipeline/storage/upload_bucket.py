"""Uploads in a bucket."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from uuid import uuid4

from data_pipeline.artefact_errors import ArtefactMissing
from data_pipeline.storage.incoming_upload import ABANDONED_AFTER, IncomingUpload, UploadPlace
from data_pipeline.storage.object_store import ObjectStore
from data_pipeline.storage.object_versions import object_uri
from data_pipeline.storage_errors import StoreError

_PUBLISHED, _TEMPORARY = "uploads/", "incoming-uploads/"  # beginnings of keys


class UploadBucket(UploadPlace):
    """The bucket `UPLOAD_BUCKET`. The key of a published object ends with the hash of its bytes."""

    def __init__(self, store: ObjectStore, bucket: str) -> None:
        self._store, self._bucket = store, bucket

    def receive(self, *, max_bytes: int) -> "BucketUpload":
        return BucketUpload(self._store, self._bucket, max_bytes=max_bytes)

    def published(self) -> Iterator[tuple[str, str]]:
        for found in self._store.list(self._bucket, prefix=_PUBLISHED):
            yield found.key.removeprefix(_PUBLISHED), found.uri

    def remove(self, content_blake2b: str) -> None:
        self._store.delete(self._bucket, _PUBLISHED + content_blake2b)

    def remove_abandoned(self, *, dry_run: bool) -> int:
        oldest, removed = datetime.now(UTC) - ABANDONED_AFTER, 0
        for found in self._store.list(self._bucket, prefix=_TEMPORARY):
            if found.modified_at < oldest:
                if not dry_run:
                    self._store.delete(self._bucket, found.key)
                removed += 1
        return removed


class BucketUpload(IncomingUpload):
    """An object that is being uploaded. A hash is known at its end only, so the object is then copied to its key."""

    def __init__(self, store: ObjectStore, bucket: str, *, max_bytes: int) -> None:
        super().__init__(max_bytes=max_bytes)
        self._store, self._bucket, self._temporary = store, bucket, f"{_TEMPORARY}{uuid4().hex}"
        self._writer, self._is_complete = store.begin(bucket, self._temporary), False

    @property
    def uri(self) -> str:
        return object_uri(self._bucket, self._final)

    def publish(self) -> None:
        try:
            self._store.head(self._bucket, self._final)
        except ArtefactMissing:
            self._store.copy(self._bucket, self._temporary, self._final)

    def _discard(self) -> None:
        if not self._is_complete:
            self._writer.abort()
            return
        with suppress(StoreError):  # `prune_loads` deletes it later
            self._store.delete(self._bucket, self._temporary)

    @property
    def _final(self) -> str:
        return _PUBLISHED + self.content_blake2b

    def _append(self, data: bytes) -> None:
        self._writer.write(data)

    def _close(self) -> None:
        self._writer.complete()
        self._is_complete = True
