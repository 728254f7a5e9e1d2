"""Queues what clients of the API send: addresses of files, uploaded files and uploaded records.

Everything that needs no byte of a file is checked at once. The worker does the rest.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from django.db import DEFAULT_DB_ALIAS, connections

from data_pipeline import conf
from data_pipeline.domain.load_requests import RequestAction
from data_pipeline.postgres import target_tables, upload_locks
from data_pipeline.postgres.error_translation import translate_errors
from data_pipeline.services.file_loader import key_of_content
from data_pipeline.services.file_reading import dialect_named
from data_pipeline.services.load_options import AUTO, LoadOptions
from data_pipeline.services.load_planning import find_table
from data_pipeline.services.load_requests import QueuedRequest, enqueue, given_options
from data_pipeline.services.load_scope import LoadScope, require_visible_table
from data_pipeline.services.record_files import key_of_records
from data_pipeline.storage.accepted_addresses import accepted_uri
from data_pipeline.storage.incoming_upload import IncomingUpload
from data_pipeline.storage.upload_places import upload_place
from data_pipeline.upload_errors import TableNotNamed


@dataclass(frozen=True, kw_only=True, slots=True)
class Ingest:
    """What a client wants of a file."""

    options: LoadOptions
    requested_by: str
    action: RequestAction = RequestAction.LOAD
    idempotency_key: str | None = None  # with the user


def with_table(options: LoadOptions, scope: LoadScope) -> LoadOptions:
    """Return the options with an existing table that the user may see.

    Raises `TableNotNamed`, `UnknownTable`, `UnknownTarget`, another `TargetError` or `DialectError`.
    """
    settings = conf.load()
    dialect = dialect_named(options.dialect, settings)
    table = options.table if options.table != AUTO else dialect.target
    if table is None:
        raise TableNotNamed
    with translate_errors(DEFAULT_DB_ALIAS):
        name = find_table(DEFAULT_DB_ALIAS, table, settings)
        require_visible_table(str(name), scope)
        target_tables.describe(DEFAULT_DB_ALIAS, name)
    return replace(options, table=str(name))


def enqueue_address(source_uri: str, ingest: Ingest) -> QueuedRequest:
    """Queue the load of a file at an allowed address.

    Raises `AddressNotAccepted`, `ArtefactError` or what `enqueue` raises.
    """
    return _enqueue(accepted_uri(source_uri, conf.load()), ingest)


def receive_upload() -> IncomingUpload:
    """Begin an upload. Raises `UploadsOff`, `UploadNotStored` or `StoreError`.

    The session of the database is closed, because a slow client would keep it for as long as it sends.
    """
    settings = conf.load()
    connection = connections[DEFAULT_DB_ALIAS]
    if not connection.in_atomic_block:
        connection.close()
    return upload_place(settings).receive(max_bytes=settings.max_upload_bytes)


def enqueue_upload(upload: IncomingUpload, ingest: Ingest) -> QueuedRequest:
    """Queue the load of a received upload. Raises `EmptyUpload`, `UnsupportedFormat` or what `enqueue` raises.

    Its content identifies it, however often it is sent. It gets its final name in the transaction of the request, so
    that nothing deletes it before.
    """
    upload.finish()
    content, options = upload.content_blake2b, ingest.options
    if options.key is None:
        is_records = ingest.action is RequestAction.RECORDS
        key = key_of_records(content, options.table) if is_records else key_of_content(content, options)
        options = replace(options, key=key)

    def publish() -> None:
        upload_locks.lock(DEFAULT_DB_ALIAS, content)
        upload.publish()

    return _enqueue(upload.uri, replace(ingest, options=options), on_created=publish)


def _enqueue(uri: str, ingest: Ingest, **hooks: Callable[[], None]) -> QueuedRequest:
    return enqueue(
        source_uri=uri,
        action=ingest.action,
        options=given_options(ingest.options),
        requested_by=ingest.requested_by,
        idempotency_key=ingest.idempotency_key,
        **hooks,
    )
