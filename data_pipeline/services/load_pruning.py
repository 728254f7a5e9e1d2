"""Deletes old data of loads in batches, and old uploads.

Successful loads stay, because their files would be loaded again.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from django.db import DEFAULT_DB_ALIAS

from data_pipeline import conf
from data_pipeline.postgres import load_pruning
from data_pipeline.postgres.error_translation import translate_errors
from data_pipeline.services.upload_pruning import prune_uploads
from data_pipeline.structured_log import INFO, log_event
from seeder.postgres.transactions import atomic
from seeder.services.stop_signal import StopSignal

_BATCH_ROWS = 5_000


@dataclass(frozen=True, kw_only=True, slots=True)
class PrunedLoads:
    """What was deleted, or would be deleted."""

    undo_days: int  # age of the previous values
    days: int  # age of everything else; 0 if it is kept
    changes: int = 0  # previous values of rows, with which a load is undone
    rejects: int = 0  # replayed or dismissed rejects of loads that are kept
    loads: int = 0  # failed loads, with all of their rejects
    requests: int = 0  # queued loads that have ended
    uploads: int = 0  # files that no request needs any more, and those of killed web servers
    stopped_by: str | None = None  # the name of a signal


def prune_loads(
    *,
    days: int | None = None,
    dry_run: bool = False,
    stop: StopSignal | None = None,
    using: str = DEFAULT_DB_ALIAS,
) -> PrunedLoads:
    """Delete previous values, failed loads and uploads that are old.

    Values are older than UNDO_DAYS, loads older than `days` (default: KEEP_LOADS_DAYS), and uploads older than
    KEEP_UPLOADS_DAYS. Each batch commits by itself, and a stop ends it after one.
    """
    settings, stop = conf.load(), stop or StopSignal()
    result = PrunedLoads(undo_days=settings.undo_days, days=settings.keep_loads_days if days is None else days)
    with translate_errors(using):
        if dry_run:
            changes, rejects, loads, requests = load_pruning.count(using, undo_days=result.undo_days, days=result.days)
            uploads = sum(prune_uploads(dry_run=True))
            return replace(result, changes=changes, rejects=rejects, loads=loads, requests=requests, uploads=uploads)
        for name, deleted in _batches(result, using):
            result = replace(result, **{name: getattr(result, name) + deleted})
            if stop.requested:
                result = replace(result, stopped_by=stop.reason)
                break
    names = ("changes", "rejects", "loads", "requests", "uploads", "stopped_by")
    log_event(INFO, "loads_pruned", **{name: getattr(result, name) for name in names})
    return result


def _batches(result: PrunedLoads, using: str) -> Iterator[tuple[str, int]]:
    """Delete batch by batch. Yield the name and the number of rows or files of each."""
    tables = ["changes", *(["rejects", "loads", "requests"] if result.days else [])]
    for name in tables:
        deleted = _BATCH_ROWS
        while deleted == _BATCH_ROWS:
            with atomic(using, durable=True):
                deleted = load_pruning.delete(
                    using, name, undo_days=result.undo_days, days=result.days, batch=_BATCH_ROWS
                )
            yield name, deleted
    if using == DEFAULT_DB_ALIAS:  # that of the requests
        yield from (("uploads", deleted) for deleted in prune_uploads())
