"""Addresses that the API accepts: those of allowed folders, buckets and hosts only."""

from pathlib import Path
from urllib.parse import urlsplit

from data_pipeline import conf
from data_pipeline.artefact_errors import BadAddress, OutsideRoots
from data_pipeline.domain.outbound_hosts import Origin
from data_pipeline.domain.uris import without_query, without_signature
from data_pipeline.storage import file_addresses
from data_pipeline.storage.object_versions import object_uri, parse_object_uri
from data_pipeline.upload_errors import AddressNotAccepted
from seeder.texts import Text


def accepted_uri(source_uri: str, settings: conf.Settings) -> str:
    """Return the address for the request. Only files are looked at; buckets and hosts are left to the worker.

    Raises `AddressNotAccepted` for everything that is not allowed, whether it exists or not, and `ArtefactError` for
    an allowed address without a file.
    """
    scheme, separator, _ = source_uri.partition("://")
    match scheme.lower() if separator else "":
        case "s3":
            return _object_uri(source_uri, settings)
        case "https" | "http":
            return _url(source_uri, settings)
        case _:
            return _file_uri(source_uri, settings)


def _file_uri(source_uri: str, settings: conf.Settings) -> str:
    if not settings.ingest_roots:
        raise AddressNotAccepted
    try:
        address = file_addresses.resolve(source_uri, roots=settings.ingest_roots)
    except OutsideRoots:
        raise AddressNotAccepted from None
    if settings.upload_root and address.path.is_relative_to(Path(settings.upload_root).resolve()):
        raise AddressNotAccepted  # it may be another user's upload
    return address.uri


def _object_uri(source_uri: str, settings: conf.Settings) -> str:
    bucket, key = parse_object_uri(source_uri)
    if bucket not in settings.ingest_buckets or bucket == settings.upload_bucket:
        raise AddressNotAccepted
    return object_uri(bucket, key)


def _url(url: str, settings: conf.Settings) -> str:
    from data_pipeline.storage.web_addresses import policy_of_files  # needs the extra `http`

    url = url.partition("#")[0]
    try:
        parts = urlsplit(url)
        origin = Origin.of(scheme=parts.scheme, host=parts.hostname or "", port=parts.port)
    except ValueError as error:
        raise BadAddress(address=without_query(url), problem=Text("it is not a valid URI")) from error
    if not settings.allowed_hosts or policy_of_files().hosts.problem(origin) is not None or "@" in parts.netloc:
        raise AddressNotAccepted
    if without_signature(url) != url:
        problem = Text("its signature is a secret, which is not stored. Download the file, and upload it")
        raise BadAddress(address=without_query(url), problem=problem)
    return url
