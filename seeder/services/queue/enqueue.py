"""Queues refreshes and captures of release snapshots.

A request for all reports is planned and split into parts that share no view, dependency or status row. Any other
request is one part, planned by the worker that claims it. The queue carries only the ids of parts, and how long a
worker may wait for requests that join them.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta

from django.db import DEFAULT_DB_ALIAS

from seeder import conf
from seeder.domain import lock_keys
from seeder.domain.manifests import Selection
from seeder.domain.queue.plan_partitioning import partition_plan
from seeder.domain.queue.queued_requests import CaptureRequest, find_covering_parts
from seeder.domain.refresh_requests import AllReports, RefreshRequest
from seeder.domain.snapshots.snapshot_contents import Release
from seeder.domain.view_names import ViewName
from seeder.errors import BadIdempotencyKey, IdempotencyKeyTaken
from seeder.models import QueuedRefresh
from seeder.postgres import advisory_locks, sessions
from seeder.postgres.sqlstates import translate_database_errors
from seeder.postgres.transactions import atomic
from seeder.services import change_samples, manifest_selection
from seeder.services.groups.group_planning import add_groups
from seeder.services.groups.group_selection import complete_groups
from seeder.services.queue import dispatch, part_rows
from seeder.services.run import planning
from seeder.services.run.run_liveness_lock import new_run_id
from seeder.services.snapshots import release_snapshots
from seeder.services.storable_text import is_storable
from seeder.services.structured_log import INFO, log_event
from seeder.texts import Text

_MAX_KEY_LENGTH = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class EnqueueResult:
    """Result of queueing a request."""

    description: str
    parts: Sequence[QueuedRefresh] = ()  # the parts that contain requested manifests
    joined: bool = False  # an earlier request covers it
    repeated: bool = False  # the same request was made before with this idempotency key

    @property
    def request_id(self) -> str | None:
        """Return the id, or None if nothing is to be refreshed."""
        return self.parts[0].request_id if self.parts else None


def enqueue_refresh(  # noqa: PLR0913  # facts of one request
    request: RefreshRequest,
    *,
    requested_by: str,
    idempotency_key: str | None = None,
    min_interval: timedelta = timedelta(),
    selection: Selection | None = None,
    force: bool = False,
) -> EnqueueResult:
    """Queue a request, or join an earlier request that covers it and has not started.

    With `force`, no view is skipped, also not those of a joined request.

    A worker starts it when no refresh of its views has started for `min_interval`, so that frequent requests join it.
    The same idempotency key returns the same answer. Keys are global; callers with several users must include the user.
    `selection` has the manifests of the request, if the caller has read them. Must not be called inside a transaction.

    Raises `RequestError`, `ConfigurationError`, `QueueError`, `SampleTableUnusable` or `DatabaseError`.
    """
    settings, key = conf.load(), idempotency_key
    description = request.description
    if force:
        description = Text("{request}, even if unchanged", request=description)
    if key is not None and not (0 < len(key) <= _MAX_KEY_LENGTH and is_storable(key)):
        raise BadIdempotencyKey(key=key, max_length=_MAX_KEY_LENGTH)
    with translate_database_errors(DEFAULT_DB_ALIAS):
        dispatch.require_queue()
        part_rows.require_table()
        change_samples.require_possible(request)
        requested_at = sessions.server_time(DEFAULT_DB_ALIAS)
        # Before the selection, which fails if the manifests of the first request are gone.
        if repeated := _repeated(description, key):
            return repeated
        selection = selection or manifest_selection.select(request, databases=settings.databases)
        selection, groups = complete_groups(selection, settings)
        parts: Sequence[Selection] = [selection] if selection.manifests else []
        if isinstance(request, AllReports):
            with atomic(durable=True):
                earlier = _earlier(description, selection, key, is_forced=force)
            if earlier:
                return earlier
            # Planning rolls back a transaction of its own, so the queue may have changed when it ends.
            parts = partition_plan(add_groups(planning.build(selection), groups), max_partitions=settings.queue_parts)
        if not parts:
            return EnqueueResult(description=description)
        with atomic(durable=True):
            earlier = _earlier(description, selection, key, is_forced=force)
            if earlier is None or not earlier.repeated:  # before a worker can start the refresh
                change_samples.store_requests(request, selection, requested_by=requested_by)
            if earlier:
                return earlier
            facts = {"description": description, "requested_by": requested_by}
            request_id = new_run_id()
            rows = part_rows.add(
                parts, key=key, request_id=request_id, requested_at=requested_at, is_forced=force, **facts
            )
        log_event(INFO, "request_queued", request=rows[0].request_id, parts=len(rows), **facts)
        for row in rows:
            part_rows.dispatch_part(row.pk, min_interval=min_interval)
        return EnqueueResult(description=description, parts=rows)


def enqueue_capture(request: CaptureRequest) -> None:
    """Queue the capture of a release snapshot.

    Only the queue's task records it: if no snapshot is taken, request it again. Of two requests, one takes it.

    Raises `BadName`, `BadTag`, `RequestError`, `SnapshotError`, `ConfigurationError`, `QueueMissing` or
    `DatabaseError`.
    """
    release = Release(tag=request.release_tag, version=request.release_version)
    release_snapshots.validate_capture(ViewName.parse(request.table_name), release, request.top_values_columns)
    with translate_database_errors(DEFAULT_DB_ALIAS):
        dispatch.require_queue()
        dispatch.dispatch("seeder.tasks.capture_release_snapshot", **asdict(request))


def _earlier(description: str, selection: Selection, key: str | None, *, is_forced: bool) -> EnqueueResult | None:
    """Lock the queue for inserts, and return an earlier answer to the key or a request that was joined."""
    advisory_locks.lock(DEFAULT_DB_ALIAS, lock_keys.ENQUEUE)
    return _repeated(description, key) or _joined(description, selection, key, is_forced=is_forced)


def _repeated(description: str, key: str | None) -> EnqueueResult | None:
    """Return the earlier answer to this key. Raises `IdempotencyKeyTaken` if it was for another request."""
    rows = list(QueuedRefresh.objects.with_idempotency_key(key).order_by("id")) if key else []
    if not rows:
        return None
    earlier = rows[0].idempotency_keys[key]
    if earlier != description:
        raise IdempotencyKeyTaken(key=key, earlier_request=earlier, request=description)
    return EnqueueResult(description=description, parts=rows, repeated=True)


def _joined(description: str, selection: Selection, key: str | None, *, is_forced: bool) -> EnqueueResult | None:
    requested = {manifest.key for manifest in selection.manifests}
    parts = find_covering_parts(part_rows.not_started(), requested)
    if not parts:
        return None
    part_rows.join(parts, key=key, description=description, is_forced=is_forced)
    return EnqueueResult(description=description, parts=parts, joined=True)
