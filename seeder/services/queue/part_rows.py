"""The only writer of what is queued. A part's row goes from queued over running to ended; who changes it has it locked,
or compares it with what it was."""

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
    """Raises `QueueMissing` where there is no table to queue in."""
    why = contract.reason_unusable(DEFAULT_DB_ALIAS, _TABLE)
    if why is not None:
        raise QueueMissing(problem=f"{why}; `manage.py install_schema` creates it")


def exists() -> bool:
    """Whether there is a table at all, be it one that we may not use."""
    return _TABLE in contract.tables_in_database(DEFAULT_DB_ALIAS)


def is_available() -> bool:
    return contract.reason_unusable(DEFAULT_DB_ALIAS, _TABLE) is None


def add(
    request_id: str, parts: Sequence[PartContents], *, columns: Mapping[str, object], key: str | None
) -> tuple[QueuedPart, ...]:
    """The parts of a new request. `facts`: what it is for, who asks, and since when."""
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
    """The parts that somebody was answered with who asked with this idempotency key."""
    return list(QueuedRefresh.objects.with_idempotency_key(key).order_by("id"))


def not_started() -> list[tuple[QueuedPart, ...]]:
    """The parts that no worker has taken up, by request, the earliest first; until the end of the transaction none is
    taken up."""
    rows = QueuedRefresh.objects.not_started().order_by("id").select_for_update()
    return [tuple(map(as_value, parts)) for _, parts in groupby(rows, key=lambda row: row.request_id)]


def join(parts: Sequence[QueuedPart], *, key: str | None, description: str) -> str:
    """Somebody else wants these too, from now on; whose request they are. To be called after `unbegun`."""
    rows = QueuedRefresh.objects.filter(pk__in=[part.id for part in parts])
    rows.update(joined_at=Now())
    for row in rows if key else ():
        rows.filter(pk=row.pk).update(idempotency_keys={**row.idempotency_keys, key: description})
    return rows[0].request_id


def mark_dispatched(part_id: int) -> None:
    """The queue was told of it."""
    QueuedRefresh.objects.filter(pk=part_id).update(dispatched_at=Now())


def lock_part(part_id: int) -> QueuedRefresh | None:
    """The row, which nobody else changes until the end of the transaction."""
    return QueuedRefresh.objects.filter(pk=part_id).select_for_update().first()


def claim(row: QueuedRefresh, *, run_id: str, worker: str) -> None:
    """A worker has taken it up. To be called with a `locked` row."""
    row.run_ids = [*row.run_ids, run_id]
    facts = {"state": QueuedPartState.RUNNING, "run_ids": row.run_ids, "worker": worker}
    if row.started_at is None:
        facts["started_at"] = Now()
    QueuedRefresh.objects.filter(pk=row.pk).update(**facts)


def release(part_id: int, *, run_ids: Sequence[str]) -> bool:
    """The last of its runs has left something undone, which anybody may take up; whether the part was still that
    run's."""
    return bool(_claimed_by(part_id, run_ids).update(state=QueuedPartState.QUEUED, worker=None, dispatched_at=Now()))


def end(part_id: int, *, run_ids: Sequence[str], succeeded: int, failed: int, error: str | None = None) -> bool:
    """Nothing more will be done about it; whether the part was still its last run's."""
    facts = {"succeeded": succeeded, "failed": failed, "error": error}
    return bool(_claimed_by(part_id, run_ids).update(state=QueuedPartState.ENDED, finished_at=Now(), **facts))


def running() -> list[QueuedRefresh]:
    """Those that a worker has taken up and nobody looks at just now, locked."""
    return list(
        QueuedRefresh.objects.filter(state=QueuedPartState.RUNNING).order_by("id").select_for_update(skip_locked=True)
    )


def undispatched(after: timedelta, *, dispatched_before: timedelta) -> list[int]:
    """The queued parts that the queue was never told of, so long `after` they were asked for, and those that it was
    `told` of so long ago. Taken to be told of now."""
    silent = Q(dispatched_at=None, requested_at__lt=Now() - after) | Q(dispatched_at__lt=Now() - dispatched_before)
    rows = (
        QueuedRefresh.objects.filter(silent, state=QueuedPartState.QUEUED)
        .order_by("id")
        .select_for_update(skip_locked=True)
    )
    ids = [row.pk for row in rows]
    QueuedRefresh.objects.filter(pk__in=ids).update(dispatched_at=Now())
    return ids


def _claimed_by(part_id: int, run_ids: Sequence[str]) -> QuerySet[QueuedRefresh]:
    """The row, as long as nobody has taken it up after these runs."""
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
    """Since when somebody wants it, the latest of them: what was refreshed before is too old for that one."""
    return max(filter(None, (row.requested_at, row.joined_at)))
