"""The only writer of queued parts.

The state of a part goes from queued to running to ended. Until it has ended, it can be cancelled. Every transition
holds a row lock or compares the old state.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from itertools import groupby

from django.db import DEFAULT_DB_ALIAS
from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from seeder.domain.manifests import ManifestKey, Selection
from seeder.domain.queue.queued_requests import QueuedPartState
from seeder.errors import QueueMissing
from seeder.models import QueuedRefresh
from seeder.postgres import contract
from seeder.postgres.transactions import atomic
from seeder.services import history_rows
from seeder.services.queue.dispatch import dispatch
from seeder.services.structured_log import INFO, WARNING, log_event
from seeder.texts import Text

TABLE = "seeder_queued_refresh"
_TASK = "seeder.tasks.refresh_queued"


def require_table() -> None:
    """Raise `QueueMissing` if this role cannot use the table of parts."""
    problem = contract.OptionalTables.read(DEFAULT_DB_ALIAS).unusable.get(TABLE)
    if problem is not None:
        raise QueueMissing(problem=Text("{problem}; `manage.py install_schema` creates it", problem=problem))


def is_available() -> bool:
    return contract.OptionalTables.read(DEFAULT_DB_ALIAS).is_usable(TABLE)


def add(parts: Sequence[Selection], *, key: str | None, **columns: object) -> list[QueuedRefresh]:
    """Insert the parts of a new request. `columns` are those that all parts share."""
    rows = [
        QueuedRefresh(
            part=number,
            parts=len(parts),
            idempotency_keys={key: columns["description"]} if key else {},
            manifests=[[*one.key] for one in part.manifests],
            views=[[spec.key.database, str(spec.key.name)] for spec in part.views],
            agencies=sorted({one.agency_slug for one in part.manifests}),
            state=QueuedPartState.QUEUED,
            run_ids=[],
            **columns,
        )
        for number, part in enumerate(parts, start=1)
    ]
    return QueuedRefresh.objects.bulk_create(rows)


def not_started() -> list[Mapping[QueuedRefresh, frozenset[ManifestKey]]]:
    """Return the parts that no worker has claimed with their manifests, by request, oldest first.

    They are locked: no worker claims one before the end of the transaction.
    """
    rows = QueuedRefresh.objects.not_started().order_by("id").select_for_update()
    requests = groupby(rows, key=lambda row: row.request_id)
    return [{part: part.manifest_keys for part in parts} for _, parts in requests]


def join(parts: Sequence[QueuedRefresh], *, key: str | None, description: str, is_forced: bool) -> None:
    """Add a request to parts that `not_started` has locked. If it is forced, so are they."""
    columns = {"joined_at": Now(), **({"is_forced": True} if is_forced else {})}
    QueuedRefresh.objects.filter(pk__in=[part.pk for part in parts]).update(**columns)
    for part in parts if key else ():
        keys = {**part.idempotency_keys, key: description}
        QueuedRefresh.objects.filter(pk=part.pk).update(idempotency_keys=keys)


def dispatch_part(part_id: int, *, min_interval: timedelta = timedelta()) -> None:
    """Tell the queue that a part can be claimed. Its row must be committed.

    The worker claims it when no refresh of its views has started for `min_interval`. The message is only a hint. A
    rescuer sends a lost message again; a duplicate finds the part already claimed.
    """
    try:
        options = {"min_interval_seconds": min_interval.total_seconds()} if min_interval else {}
        dispatch(_TASK, part_id, **options)
    except QueueMissing as error:
        # The broker's message may contain its address and password.
        log_event(WARNING, "dispatch_failed", part=part_id, reason=type(error.__cause__).__name__)
    else:
        QueuedRefresh.objects.filter(pk=part_id).update(dispatched_at=Now())


def claim(row: QueuedRefresh, *, run_id: str, worker: str) -> None:
    """Claim a part for a run of a worker. Its row must be locked."""
    row.run_ids = [*row.run_ids, run_id]
    columns = {"state": QueuedPartState.RUNNING, "run_ids": row.run_ids, "worker": worker}
    if row.started_at is None:
        columns["started_at"] = Now()
    QueuedRefresh.objects.filter(pk=row.pk).update(**columns)


def release(part_id: int, *, run_ids: Sequence[str]) -> QueuedPartState | None:
    """Give back an incomplete part: it is queued again, or cancelled if that was requested.

    Return its state, or None if another run has claimed it since.
    """
    with atomic():
        row = _claimed_by(part_id, run_ids).select_for_update().first()
        if row is None:
            return None
        if row.cancel_requested_at is not None:
            _cancel(row)
            return QueuedPartState.CANCELLED
        queued = {"state": QueuedPartState.QUEUED, "worker": None, "dispatched_at": Now()}
        QueuedRefresh.objects.filter(pk=part_id).update(**queued)
        return QueuedPartState.QUEUED


def end(part_id: int, *, run_ids: Sequence[str], succeeded: int, failed: int, error: str | None = None) -> bool:
    """End a part, and return False if another run has claimed it since."""
    counts = {"succeeded": succeeded, "failed": failed, "error": error}
    return bool(_claimed_by(part_id, run_ids).update(state=QueuedPartState.ENDED, finished_at=Now(), **counts))


def of_request_or_run(given_id: str) -> list[QueuedRefresh]:
    """Return the parts of a request, otherwise the part of the run with this id, locked."""
    rows = QueuedRefresh.objects.order_by("id").select_for_update()
    return list(rows.filter(request_id=given_id)) or list(rows.filter(run_ids__contains=[given_id]))


def unfinished_part_of_run(run_id: str) -> QueuedRefresh | None:
    """Return the part that a run refreshes, or None if the part has ended or a command started the run."""
    return QueuedRefresh.objects.unfinished().filter(run_ids__contains=[run_id]).first()


def request_cancel(rows: Iterable[QueuedRefresh], *, requested_by: str) -> None:
    """Cancel parts that have not ended. Their rows must be locked.

    A queued part is cancelled at once. The worker of a running one stops and releases it.
    """
    for row in rows:
        if row.cancel_requested_at is None:
            row.cancel_requested_by = requested_by
            columns = {"cancel_requested_at": Now(), "cancel_requested_by": requested_by}
            QueuedRefresh.objects.filter(pk=row.pk).update(**columns)
        if row.state == QueuedPartState.QUEUED:
            _cancel(row)


def cancel_requested_by(part_id: int) -> str | None:
    """Return the requester of a part's cancellation, or None."""
    return QueuedRefresh.objects.filter(pk=part_id).values_list("cancel_requested_by", flat=True).first()


def _cancel(row: QueuedRefresh) -> None:
    """End a locked part as cancelled, with the results of its runs."""
    columns = {"state": QueuedPartState.CANCELLED, "finished_at": Now(), **history_rows.count_manifests(row.run_ids)}
    QueuedRefresh.objects.filter(pk=row.pk).update(**columns)
    facts = {"requested_by": row.cancel_requested_by, "agencies": tuple(row.agencies)}
    log_event(INFO, "part_cancelled", part=row.pk, **facts)


def running() -> QuerySet[QueuedRefresh]:
    """Return the claimed parts, locked, without those that another transaction has locked."""
    rows = QueuedRefresh.objects.filter(state=QueuedPartState.RUNNING)
    return rows.order_by("id").select_for_update(skip_locked=True)


def undispatched(after: timedelta, *, dispatched_before: timedelta) -> list[int]:
    """Return queued parts whose message is missing or old, and mark them as dispatched.

    A message is missing if none was sent within `after` of the request. It is old if it was sent longer than
    `dispatched_before` ago.
    """
    is_due = Q(dispatched_at=None, requested_at__lt=Now() - after) | Q(dispatched_at__lt=Now() - dispatched_before)
    rows = QueuedRefresh.objects.filter(is_due, state=QueuedPartState.QUEUED).order_by("id")
    ids = [row.pk for row in rows.select_for_update(skip_locked=True)]
    QueuedRefresh.objects.filter(pk__in=ids).update(dispatched_at=Now())
    return ids


def _claimed_by(part_id: int, run_ids: Sequence[str]) -> QuerySet[QueuedRefresh]:
    """Return the row of a part whose last claim is the last of these runs."""
    return QueuedRefresh.objects.filter(pk=part_id, state=QueuedPartState.RUNNING, run_ids=list(run_ids))
