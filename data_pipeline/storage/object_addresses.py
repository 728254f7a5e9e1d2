"""Addresses of objects in buckets: `s3://` URIs, limited to the allowed buckets."""

from dataclasses import dataclass, field
from typing import Any

from data_pipeline import conf
from data_pipeline.storage.object_store import ObjectStore, shared_store
from data_pipeline.storage.object_streams import ObjectStream
from data_pipeline.storage.object_versions import ObjectVersion, parse_object_uri, shown_uri
from data_pipeline.storage_errors import OutsideBuckets

_MEGABYTE = 1024 * 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class ObjectAddress:
    """An object in the version at the time of its resolution.

    It is read in this version only.
    """

    version: ObjectVersion
    max_spooled_bytes: int
    store: ObjectStore = field(repr=False, compare=False)

    @property
    def path(self) -> str:
        """The address for messages."""
        return shown_uri(self.version.bucket, self.version.key)

    @property
    def name(self) -> str:
        """The name without its folders."""
        return self.version.key.rstrip("/").rpartition("/")[2]

    @property
    def uri(self) -> str:
        """The address for records."""
        return self.version.uri

    @property
    def size(self) -> int:
        """The size in bytes."""
        return self.version.size

    def identity(self) -> dict[str, Any]:
        """Return what identifies the artefact, as arguments of `compute_idempotency_key`."""
        return {"path": self.uri, "remote_meta": self.version.stable_metadata()}

    def open(self) -> ObjectStream:
        """Open the object. Raises `SourceChanged` if it has another version now."""
        return self.store.get(self.version.bucket, self.version.key, etag=self.version.etag)


def resolve_object(source_uri: str, settings: conf.Settings) -> ObjectAddress:
    """Return the address of an `s3://` URI. The object must exist, in a bucket of `INGEST_BUCKETS` if it names some."""
    bucket, key = parse_object_uri(source_uri)
    if settings.readable_buckets and bucket not in settings.readable_buckets:
        raise OutsideBuckets(path=shown_uri(bucket, key), buckets=", ".join(settings.ingest_buckets))
    store = shared_store(settings)
    return ObjectAddress(
        version=store.head(bucket, key), max_spooled_bytes=settings.max_spooled_mb * _MEGABYTE, store=store
    )
