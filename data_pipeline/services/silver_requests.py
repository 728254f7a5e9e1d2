"""Queues transforms of objects for workers, and runs one. A message of the queue carries only the id of its request."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from django.db import DEFAULT_DB_ALIAS

from data_pipeline import conf
from data_pipeline.domain.load_requests import RequestAction
from data_pipeline.domain.silver_outcomes import ObjectOutcome, ObjectState
from data_pipeline.postgres import silver_loads
from data_pipeline.postgres.error_translation import translate_errors
from data_pipeline.postgres.load_requests import ClaimedRequest
from data_pipeline.services.load_requests import enqueue
from data_pipeline.services.silver.planning import SilverRequest
from data_pipeline.services.silver.running import SilverRun
from data_pipeline.services.silver_log import SilverLog
from data_pipeline.storage.object_addresses import resolve_object
from data_pipeline.storage.object_store import shared_store
from data_pipeline.storage.object_versions import ObjectVersion


def enqueue_transforms(
    sources: Iterable[ObjectVersion], request: SilverRequest, *, requested_by: str
) -> Iterator[ObjectOutcome]:
    """Queue a request for each object, unless one is waiting or running. Yield the objects with their requests.

    Raises `QueueMissing`, `InsideTransaction` or `AutocommitOff`.
    """
    with translate_errors(DEFAULT_DB_ALIAS):
        unfinished = silver_loads.unfinished_addresses(DEFAULT_DB_ALIAS, RequestAction.TRANSFORM)
    for source in sources:
        facts: dict[str, Any] = {"source_uri": source.uri, "size_bytes": source.size}
        if source.uri in unfinished:
            yield ObjectOutcome(**facts, state=ObjectState.BUSY)
            continue
        options = {
            "destination_bucket": request.destination_bucket,
            "dialect": request.dialect,
            "force": request.force,
        }
        queued = enqueue(
            action=RequestAction.TRANSFORM, source_uri=source.uri, options=options, requested_by=requested_by
        )
        yield ObjectOutcome(**facts, state=ObjectState.QUEUED, request_id=queued.request_id)


def transform_requested(claimed: ClaimedRequest) -> ObjectOutcome:
    """Transform the present version of the object of a request. Raises `ArtefactError` or `DialectError`."""
    return transform_object(
        claimed.source_uri,
        claimed.options,
        task_id=f"load request {claimed.id}",
        forced_at=claimed.forced_at,
    )


def transform_object(
    source_uri: str,
    options: Mapping[str, Any],
    *,
    task_id: str | None = None,
    forced_at: datetime | None = None,
    using: str = DEFAULT_DB_ALIAS,
) -> ObjectOutcome:
    """Transform the present version of an object, and record it.

    The options are those of a request or a load.

    Raises `ArtefactError` or `DialectError`.
    """
    settings = conf.load()
    source = resolve_object(source_uri, settings).version
    request = SilverRequest(
        source_bucket=source.bucket,
        destination_bucket=options["destination_bucket"],
        prefix=source.key,
        dialect=options.get("dialect"),
        force=bool(options.get("force")),
    )
    store = shared_store(settings)
    log = SilverLog(store, request, settings, using=using, task_id=task_id, forced_at=forced_at)
    return SilverRun(store, request, settings, record=log.record, read_table=log.read_table).attempt(source)
