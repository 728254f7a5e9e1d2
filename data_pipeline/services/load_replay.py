"""Replays a load: loads its file again, or transforms its object again."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import DEFAULT_DB_ALIAS

from data_pipeline.correction_errors import NotReplayable
from data_pipeline.domain import silver_objects
from data_pipeline.domain.load_counts import LoadCounts
from data_pipeline.domain.load_requests import RequestAction
from data_pipeline.domain.load_status import LoadStatus
from data_pipeline.models import LoadLog
from data_pipeline.services import file_loader, record_files
from data_pipeline.services.chunk_loader import ProgressListener
from data_pipeline.services.load_file import load_with_options
from data_pipeline.services.load_lookup import find_load_by_id
from data_pipeline.services.load_lookup import given_options as options_of_load
from data_pipeline.services.load_options import Loaded, LoadOptions
from data_pipeline.services.load_requests import QueuedRequest, enqueue, enqueue_load, given_options

_SOURCES = {file_loader.SOURCE, record_files.SOURCE, silver_objects.SOURCE}


def replay_load(
    load_id: int, *, using: str = DEFAULT_DB_ALIAS, on_progress: ProgressListener = lambda _: None
) -> Loaded:
    """Repeat a load or a transform with the same options.

    A load that succeeded is repeated as a new, forced one. A failed or undone load is attempted again: if the file has
    changed since, as a new one. Raises `UnknownLoad`, `NotReplayable`, and what `load_file` raises.
    """
    load = _find(load_id, using)
    source_uri, forced_at = load.payload_meta["source_uri"], _forced_at(load)
    if load.source == silver_objects.SOURCE:
        return _transform(source_uri, _given(load), forced_at, using)
    options = LoadOptions.from_given({**_given(load), "of_load": load_id})
    if load.source == record_files.SOURCE:
        return record_files.load_record_file(source_uri, options, using=using, forced_at=forced_at)
    return load_with_options(source_uri, options, using=using, forced_at=forced_at, on_progress=on_progress)


def enqueue_replay(load_id: int, *, requested_by: str, idempotency_key: str | None = None) -> QueuedRequest:
    """Queue the replay of a load for a worker. Raises as `replay_load`, or `QueueMissing`."""
    load = _find(load_id, DEFAULT_DB_ALIAS)
    source_uri, forced_at = load.payload_meta["source_uri"], _forced_at(load)
    caller: dict[str, Any] = {"requested_by": requested_by, "idempotency_key": idempotency_key}
    if load.source == silver_objects.SOURCE:
        options = {**_given(load), **({"forced_at": forced_at.isoformat()} if forced_at else {})}
        return enqueue(action=RequestAction.TRANSFORM, source_uri=source_uri, options=options, **caller)
    repeated = LoadOptions.from_given({**_given(load), "of_load": load_id})
    if load.source == record_files.SOURCE:
        options = given_options(repeated, forced_at=forced_at)
        return enqueue(action=RequestAction.RECORDS, source_uri=source_uri, options=options, **caller)
    return enqueue_load(source_uri, repeated, forced_at=forced_at, **caller)


def _find(load_id: int, using: str) -> LoadLog:
    load = find_load_by_id(load_id, using=using)
    meta = load.payload_meta
    is_of_artefact = load.source in _SOURCES and "options" in meta
    if not (is_of_artefact and isinstance(meta.get("source_uri"), str)):
        raise NotReplayable(load_id=load_id, source=load.source)
    return load


def _given(load: LoadLog) -> Mapping[str, Any]:
    return {**options_of_load(load), "force": _is_done(load) or "forced_at" in load.payload_meta}


def _forced_at(load: LoadLog) -> datetime | None:
    """Return the time of a forced load that is repeated.

    It is then the same load.
    """
    given = load.payload_meta.get("forced_at")
    return datetime.fromisoformat(given) if given and not _is_done(load) else None


def _is_done(load: LoadLog) -> bool:
    return load.status in {LoadStatus.SUCCESS, LoadStatus.SKIPPED}


def _transform(source_uri: str, options: Mapping[str, Any], forced_at: datetime | None, using: str) -> Loaded:
    from data_pipeline.services.silver_requests import transform_object  # imports the client of object storage

    outcome = transform_object(source_uri, options, forced_at=forced_at, using=using)
    is_written = outcome.rows is not None
    return Loaded(
        load_id=outcome.load_id or 0,
        status=LoadStatus.SUCCESS if is_written else LoadStatus.SKIPPED,
        source_uri=source_uri,
        target=None,
        counts=LoadCounts(
            rows_in=(outcome.rows or 0) + (outcome.rejects or 0) if is_written else None, rows_rejected=outcome.rejects
        ),
        duration=outcome.duration,
        size_bytes=outcome.size_bytes,
    )
