"""Addresses of artefacts: files on this machine, objects in buckets, and files of web servers."""

from typing import TYPE_CHECKING, TypeAlias, Union

from data_pipeline import conf
from data_pipeline.storage import file_addresses
from data_pipeline.storage.file_addresses import LocalAddress
from data_pipeline.storage.hashed_file import HashedFile
from data_pipeline.storage.hashed_source import HashedSource

if TYPE_CHECKING:
    from data_pipeline.storage.object_addresses import ObjectAddress
    from data_pipeline.storage.web_addresses import WebAddress

Address: TypeAlias = Union[LocalAddress, "ObjectAddress", "WebAddress"]


def resolve(source_uri: str, settings: conf.Settings) -> Address:
    """Return the canonical address of a path or URI.

    A URI is `file://`, `s3://` or `https://`.

    Raises `ArtefactError`, such as `ArtefactMissing`, `OutsideRoots` or `OutsideBuckets`, and `CallError`.
    """
    scheme, separator, _ = source_uri.partition("://")
    match scheme.lower() if separator else "":
        case "s3":
            from data_pipeline.storage.object_addresses import resolve_object  # needs the extra `s3`

            return resolve_object(source_uri, settings)
        case "https" | "http":
            from data_pipeline.storage.web_addresses import resolve_url  # needs the extra `http`

            return resolve_url(source_uri, settings)
        case _:
            return file_addresses.resolve(source_uri, roots=settings.readable_folders)


def open_source(address: Address) -> HashedSource:
    """Open an artefact for reading its bytes."""
    if isinstance(address, LocalAddress):
        return HashedFile(address)
    from data_pipeline.storage.hashed_object import HashedObject

    return HashedObject(address)
