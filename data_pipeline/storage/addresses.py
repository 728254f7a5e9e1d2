"""Addresses of artefacts: files on this machine, and objects in buckets."""

from typing import TYPE_CHECKING, TypeAlias, Union

from data_pipeline import conf
from data_pipeline.storage import file_addresses
from data_pipeline.storage.file_addresses import LocalAddress
from data_pipeline.storage.hashed_file import HashedFile
from data_pipeline.storage.hashed_source import HashedSource

if TYPE_CHECKING:
    from data_pipeline.storage.object_addresses import ObjectAddress

Address: TypeAlias = Union[LocalAddress, "ObjectAddress"]
_OBJECTS = "s3://"


def resolve(source_uri: str, settings: conf.Settings) -> Address:
    """Return the canonical address of a path, a `file://` URI or an `s3://` URI.

    Raises `ArtefactError`, such as `ArtefactMissing`, `OutsideRoots` or `OutsideBuckets`.
    """
    if source_uri[: len(_OBJECTS)].lower() != _OBJECTS:
        return file_addresses.resolve(source_uri, roots=settings.ingest_roots)
    from data_pipeline.storage.object_addresses import resolve_object  # needs the extra `s3`

    return resolve_object(source_uri, settings)


def open_source(address: Address) -> HashedSource:
    """Open an artefact for reading its bytes."""
    if isinstance(address, LocalAddress):
        return HashedFile(address)
    from data_pipeline.storage.hashed_object import HashedObject

    return HashedObject(address)
