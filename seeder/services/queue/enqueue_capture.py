"""Queues release snapshots."""

from collections.abc import Sequence

from django.db import DEFAULT_DB_ALIAS

from seeder.domain.snapshots.snapshot_contents import Release
from seeder.domain.view_names import ViewName
from seeder.postgres.sqlstates import translate_database_errors
from seeder.services.queue import dispatch
from seeder.services.snapshots import release_snapshots

_TASK = "seeder.tasks.capture_release_snapshot"


def enqueue_capture(
    table_name: str,
    release_tag: str,
    *,
    release_version: str | None = None,
    top_values_columns: Sequence[str] = (),
    approximate: bool = False,
) -> None:
    """Queue one capture.

    Only the queue's task records it: if no snapshot is taken, request it again. Of two requests, one takes it.

    Raises `BadName`, `BadTag`, `RequestError`, `SnapshotError`, `ConfigurationError`, `QueueMissing` or
    `DatabaseError`.
    """
    release = Release(tag=release_tag, version=release_version)
    release_snapshots.validate_capture(ViewName.parse(table_name), release, top_values_columns)
    dispatch.require_queue()
    with translate_database_errors(DEFAULT_DB_ALIAS):
        dispatch.dispatch(
            _TASK,
            table_name,
            release_tag,
            release_version=release_version,
            top_values_columns=list(top_values_columns),
            approximate=approximate,
        )
