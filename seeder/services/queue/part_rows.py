"""The only writer of queued parts.

The state of a part goes from queued to running to ended. Every transition holds a row lock or compares the old state.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import groupby

from django.db import DEFAULT_DB_ALIAS
from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from seeder.domain.manifests import ReportType, ViewKey
from seeder.domain.queue.plan_partitioning import PartContents
from seeder.domain.queue.queued_requests import QueuedPart, QueuedPartState
from seeder.domain.view_names import ViewName
from seeder.errors import QueueMissing
from seeder.models import QueuedRefresh
from seeder.postgres import contract

_TABLE = "seeder_queued_refresh"


def require_table() -> None:
    """Raise `QueueMissing` if this role cannot use the table of parts."""
    problem = contract.reason_unusable(DEFAULT_DB_ALIAS, _TABLE)
    if problem is not None:
        raise QueueMissing(problem=f"{problem}; `manage.py install_schema` creates it")


def exists() -> bool:
    """Return whether the table exists, even if this role cannot use it."""
    return _TABLE in contract.tables_in_database(DEFAULT_DB_ALIAS)


def is_available() -> bool:
    return contract.reason_unusable(DEFAULT_DB_ALIAS, _TABLE) is None


def add(
    request_id: str, parts: Sequence[PartContents], *, columns: Mapping[str, object], key: str | None
) -> tuple[QueuedPart, ...]:
    """Insert the parts of a new request. `columns` are `description`, `requested_by` and `requested_at`."""
    rows = [
        QueuedRefresh(
            request_id=request_id,
            part=number,
            parts=len(parts),
            idempotency_keys={key: columns["description"]} if key else {},
            manifests=[[one.report_type, one.manifest_id] for one in part.manifests],
            views=[[view.database, str(view.name)] for view in part.views],
            agencies=sorted({one.agency_slug for one in part.manifests}),
            state=QueuedPartState.QUEUED,
            run_ids=[],
            **columns,
        )
        for number, part in enumerate(parts, start=1)
    ]
    return tuple(map(as_value, QueuedRefresh.objects.bulk_create(rows)))


def parts_with_key(key: str) -> list[QueuedRefresh]:
    """Return the parts that were the answer to this idempotency key."""
    return list(QueuedRefresh.objects.with_idempotency_key(key).order_by("id"))


def not_started() -> list[tuple[QueuedPart, ...]]:
    """Return the parts that no worker has claimed, by request, oldest first.

    They are locked: no worker claims one before the end of the transaction.
    """
    rows = QueuedRefresh.objects.not_started().order_by("id").select_for_update()
    return [tuple(map(as_value, parts)) for _, parts in groupby(rows, key=lambda row: row.request_id)]


def join(parts: Sequence[QueuedPart], *, key: str | None, description: str) -> str:
    """Add a request to parts that `not_started` has locked, and return the id of their own request."""
    rows = QueuedRefresh.objects.filter(pk__in=[part.id for part in parts])
    rows.update(joined_at=Now())
    for row in rows if key else ():
        rows.filter(pk=row.pk).update(idempotency_keys={**row.idempotency_keys, key: description})
    return rows[0].request_id


def mark_dispatched(part_id: int) -> None:
    """Record that the queue has accepted the message of a part."""
    QueuedRefresh.objects.filter(pk=part_id).update(dispatched_at=Now())


def lock_part(part_id: int) -> QueuedRefresh | None:
    """Return the row of a part, locked until the end of the transaction."""
    return QueuedRefresh.objects.filter(pk=part_id).select_for_update().first()


def claim(row: QueuedRefresh, *, run_id: str, worker: str) -> None:
    """Claim a part for a run of a worker. Its row must be locked."""
    row.run_ids = [*row.run_ids, run_id]
    columns = {"state": QueuedPartState.RUNNING, "run_ids": row.run_ids, "worker": worker}
    if row.started_at is None:
        columns["started_at"] = Now()
    QueuedRefresh.objects.filter(pk=row.pk).update(**columns)


def release(part_id: int, *, run_ids: Sequence[str]) -> bool:
    """Give back an incomplete part, and return False if another run has claimed it since."""
    return bool(_claimed_by(part_id, run_ids).update(state=QueuedPartState.QUEUED, worker=None, dispatched_at=Now()))


def end(part_id: int, *, run_ids: Sequence[str], succeeded: int, failed: int, error: str | None = None) -> bool:
    """End a part, and return False if another run has claimed it since."""
    counts = {"succeeded": succeeded, "failed": failed, "error": error}
    return bool(_claimed_by(part_id, run_ids).update(state=QueuedPartState.ENDED, finished_at=Now(), **counts))


def running() -> list[QueuedRefresh]:
    """Return the claimed parts, locked, without those that another transaction has locked."""
    return list(
        QueuedRefresh.objects.filter(state=QueuedPartState.RUNNING).order_by("id").select_for_update(skip_locked=True)
    )


def undispatched(after: timedelta, *, dispatched_before: timedelta) -> list[int]:
    """Return queued parts whose message is missing or old, and mark them as dispatched.

    A message is missing if none was sent within `after` of the request. It is old if it was sent longer than
    `dispatched_before` ago.
    """
    is_due = Q(dispatched_at=None, requested_at__lt=Now() - after) | Q(dispatched_at__lt=Now() - dispatched_before)
    rows = (
        QueuedRefresh.objects.filter(is_due, state=QueuedPartState.QUEUED)
        .order_by("id")
        .select_for_update(skip_locked=True)
    )
    ids = [row.pk for row in rows]
    QueuedRefresh.objects.filter(pk__in=ids).update(dispatched_at=Now())
    return ids


def _claimed_by(part_id: int, run_ids: Sequence[str]) -> QuerySet[QueuedRefresh]:
    """Return the row of a part whose last claim is the last of these runs."""
    return QueuedRefresh.objects.filter(pk=part_id, state=QueuedPartState.RUNNING, run_ids=list(run_ids))


def as_value(row: QueuedRefresh) -> QueuedPart:
    return QueuedPart(
        id=row.pk,
        number=row.part,
        state=QueuedPartState(row.state),
        manifests=frozenset((ReportType(kind), number) for kind, number in row.manifests),
        views=tuple(ViewKey(database=database, name=ViewName.parse(name)) for database, name in row.views),
        agencies=tuple(row.agencies),
        run_ids=tuple(row.run_ids),
    )


def requested_at(row: QueuedRefresh) -> datetime:
    """Return the time of the latest request for a part. An older refresh does not satisfy it."""
    return max(filter(None, (row.requested_at, row.joined_at)))
