"""The only writer of run history and job status. All instants are by the database's clock."""

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby

from django.db import DEFAULT_DB_ALIAS
from django.db.models import F, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce, Now

from seeder.domain.manifests import Manifest, ReportType, ViewKey, ViewSpec
from seeder.domain.outcomes import Outcome, RefreshResult, Status
from seeder.domain.plan import RefreshPlan
from seeder.errors import RunLockLost
from seeder.models import JobStatus, Run, RunHistory
from seeder.postgres.contract import OptionalTables
from seeder.postgres.sessions import Row, query, query_batch
from seeder.postgres.transactions import durable_transaction, nested_atomic

_IDENTITY = ("manifest_id", "report_type", "table_name", "report_name", "agency_id", "agency_slug")


QueryAndParameters = tuple[str, Mapping[str, object]]  # a named statement and its parameters


def refresh_by_another_run(rows: Iterable[Row], *, is_ours: Callable[[str, int], bool]) -> RefreshResult | None:
    """The first answer of `RunRecord.others` that is about our view, as a result. `is_ours` says whether the view of a
    report type's manifest is the one we mean: two databases may know views of one name."""
    for run_id, kind, number, started, finished, written, size in rows:
        if is_ours(kind, number):
            return RefreshResult(
                outcome=Outcome.REFRESHED,
                started_at=started,
                finished_at=finished,
                rows=written or 0,
                size_bytes=size or 0,
                satisfied_by=run_id,
            )
    return None


class RunHistoryWriter:
    """The rows of one run. Each goes from pending, over running where it takes a while, to success or error, and never
    back."""

    def __init__(self, run_id: str) -> None:
        self.run_id = run_id
        self._ids: dict[tuple[str, int], int] = {}

    def insert_pending(self, plan: RefreshPlan) -> None:
        """Write every planned manifest as pending, and as an error every one that cannot be planned."""
        refused = [complaint.manifest for complaint in plan.rejected]
        manifests = [*(manifest for view in plan.views for manifest in view.spec.manifests), *refused]
        # The first manifest that uses a name speaks for its status row.
        speakers = {one.table_name: one for one in sorted(manifests, key=lambda one: one.precedence, reverse=True)}
        with durable_transaction(DEFAULT_DB_ALIAS):
            columns = _column_arrays(manifests) | _column_arrays(speakers.values(), prefix="status_")
            statements = "insert_pending_rows", "upsert_pending_status"
            rows, _ = query_batch(DEFAULT_DB_ALIAS, statements, {"run": self.run_id, **columns})
            self._ids = {(kind, number): pk for pk, kind, number in rows}
            for message, complaints in groupby(plan.rejected, key=lambda complaint: complaint.message):
                self._finish_rows([complaint.manifest for complaint in complaints], Status.ERROR, errors=message)

    def mark_running(self, specs: Iterable[ViewSpec]) -> None:
        """Refreshes of these views go on."""
        ids = [pk for spec in specs for pk in self.history_ids(spec)]
        query(DEFAULT_DB_ALIAS, "mark_running", {"ids": ids})

    def record_result(self, spec: ViewSpec, result: RefreshResult) -> None:
        """A refresh of the view has ended. Called inside the refresh's own transaction, both commit together. Notes
        stand among the errors, as the contract has no other place for what people should read.

        Raises `RowsClosed` where somebody has taken the run for dead meanwhile: then neither may commit.
        """
        if result.failure is None:
            closed = self._mark_succeeded(spec, result)
        else:
            closed = self._finish_rows(
                spec.manifests,
                Status.ERROR,
                errors="\n".join((result.failure.message, *result.notes)),
                start_time=result.started_at,
                finish_time=result.finished_at,
                duration_seconds=round(result.duration.total_seconds()),
            )
        if closed != len(spec.manifests):
            raise RunLockLost(run_id=self.run_id, view=spec.key.name)

    def measure_and_record_success(self, spec: ViewSpec, result: RefreshResult) -> RefreshResult:
        """As `ended`, of a view of this database that the transaction has created or refreshed: measures it as well.
        The result with its rows, its bytes and its end.

        Raises `RowsClosed`.
        """
        facts = self._parameters(spec, result)
        facts |= {"schema": spec.key.name.schema, "name": spec.key.name.name}
        [(closed, rows, size, finished)] = query(DEFAULT_DB_ALIAS, "measure_and_mark_succeeded", facts)
        if closed != len(spec.manifests):
            raise RunLockLost(run_id=self.run_id, view=spec.key.name)
        return replace(result, rows=rows, size_bytes=size, finished_at=finished)

    def _mark_succeeded(self, spec: ViewSpec, result: RefreshResult) -> int:
        [(closed,)] = query(DEFAULT_DB_ALIAS, "mark_succeeded", self._parameters(spec, result))
        return int(closed)

    def _parameters(self, spec: ViewSpec, result: RefreshResult) -> dict[str, object]:
        cost, took = result.cost, result.duration.total_seconds()
        cpu = None if cost.cpu_time is None else cost.cpu_time.total_seconds()
        return {
            "run": self.run_id,
            "ids": list(self.history_ids(spec)),
            "names": list(spec.table_names),
            "started": result.started_at,
            "finished": result.finished_at,
            "seconds": round(took),
            "rows": result.rows,
            "bytes": result.size_bytes,
            "memory": None if cost.peak_memory_bytes is None else round(cost.peak_memory_bytes / 2**20),
            "cpu_seconds": cpu,
            "cpu": None if cpu is None or not took else round(100 * cpu / took),
            "notes": "\n".join(result.notes) or None,
        }

    def history_ids(self, spec: ViewSpec) -> tuple[int, ...]:
        """The primary keys of the rows of a view."""
        return tuple(self._ids[manifest.report_type, manifest.manifest_id] for manifest in spec.manifests)

    def has_recorded(self, spec: ViewSpec, result: RefreshResult) -> bool:
        """Whether the rows already say this: the answer to a connection that was lost while committing it. Where the
        server has not yet done with that commit, wait for it: the rows are locked until then."""
        with nested_atomic(DEFAULT_DB_ALIAS):
            rows = self._rows(spec.manifests).select_for_update().values_list("status", "finish_time")
            return set(rows) == {(result.outcome.status, result.finished_at)}

    def query_other_refreshes(self, spec: ViewSpec, *, after: datetime) -> QueryAndParameters:
        """What to ask for the refreshes of the view by other runs that began after an instant."""
        return "refreshes_by_other_runs", {"names": list(spec.table_names), "after": after, "run": self.run_id}

    def mark_interrupted(self, reason: str) -> None:
        """Close what has not ended, because the run ends here."""
        with durable_transaction(DEFAULT_DB_ALIAS):
            left = RunHistory.objects.filter(
                pk__in=self._ids.values(), status__in=(Status.PENDING, Status.RUNNING)
            ).values_list("pk", flat=True)
            open_ids = set(left.select_for_update())
            _close_rows(open_ids, run_id=self.run_id, reason=f"interrupted: {reason}")

    def _finish_rows(self, manifests: Iterable[Manifest], status: Status, *, errors: str, **facts: object) -> int:
        """Close rows that are still open; how many. The rows before the statuses, as everybody does, so that nobody
        waits for anybody in a circle."""
        manifests = list(manifests)
        ended = {"finish_time": Now(), **facts}
        open_rows = self._rows(manifests).exclude(status__in=(Status.SUCCESS, Status.ERROR))
        closed = open_rows.update(status=status, errors=errors, updated_at=Now(), **ended)
        JobStatus.objects.filter(table_name__in={manifest.table_name for manifest in manifests}).update(
            status=status,
            last_errors=errors,
            last_run_id=self.run_id,
            duration_seconds=facts.get("duration_seconds", 0),
            consecutive_failures=Coalesce(F("consecutive_failures"), 0) + 1,
            updated_at=Now(),
        )
        self._rows(manifests).update(consecutive_failures=_failure_streak())
        return closed

    def _rows(self, manifests: Iterable[Manifest]) -> "QuerySet[RunHistory]":
        return RunHistory.objects.filter(pk__in=[self._ids[one.report_type, one.manifest_id] for one in manifests])


def finished_manifests(run_id: str, status: Status) -> set[tuple[ReportType, int]]:
    """The manifests of a run that ended like that."""
    rows = RunHistory.objects.filter(run_id=run_id, status=status).values_list("report_type", "manifest_id")
    return {(ReportType(kind), number) for kind, number in rows}


def open_runs(tables: OptionalTables) -> Sequence[str]:
    """Return the runs with an open row in the history or in the table of runs, dead or alive."""
    runs = _open_rows().values_list("run_id", flat=True)
    if tables.is_usable("seeder_run"):
        runs = runs.union(Run.objects.unfinished().values_list("run_id", flat=True))
    return sorted(set(runs))


def close_orphaned_run(run_id: str, *, may_close: Callable[[str], bool]) -> int:
    """Close the open rows of a dead run, but for those whose view `may_close` refuses; how many."""
    rows = [row for row in _open_rows().filter(run_id=run_id).select_for_update() if may_close(row.table_name)]
    why = "interrupted: the process that ran it ended before it could say how"
    return _close_rows({row.pk for row in rows}, run_id=run_id, reason=why)


def _close_rows(ids: Set[int], *, run_id: str, reason: str) -> int:
    rows = RunHistory.objects.filter(pk__in=ids)
    ended = {"status": Status.ERROR, "updated_at": Now()}
    # A view that a later run has taken up says what that one makes of it.
    statuses = JobStatus.objects.filter(table_name__in=rows.values("table_name"), last_run_id=run_id)
    _lock_statuses_in_order(statuses)
    statuses.update(last_errors=reason, consecutive_failures=Coalesce(F("consecutive_failures"), 0) + 1, **ended)
    return rows.update(errors=reason, finish_time=Now(), consecutive_failures=_failure_streak(), **ended)


def _lock_statuses_in_order(statuses: QuerySet[JobStatus]) -> None:
    """In the order in which every run takes them up when it starts."""
    list(statuses.order_by("table_name").select_for_update().values_list("pk"))


def _open_rows() -> QuerySet[RunHistory]:
    return RunHistory.objects.filter(status__in=(Status.PENDING, Status.RUNNING))


def _failure_streak() -> Subquery:
    """How often in a row the view of a history row has failed, as its status row knows."""
    return Subquery(JobStatus.objects.filter(table_name=OuterRef("table_name")).values("consecutive_failures"))


@dataclass(frozen=True, kw_only=True, slots=True)
class PastRefreshes:
    """What the history knows of the views of a plan."""

    durations: Mapping[ViewKey, timedelta]  # of the latest success, if there is one
    consecutive_failures: Mapping[ViewKey, int]  # of the views that failed last


def past_refreshes(specs: Iterable[ViewSpec]) -> PastRefreshes:
    """Read the latest duration and the failure streak of each view."""
    keys = {manifest.table_name: spec.key for spec in specs for manifest in spec.manifests}
    rows = query(DEFAULT_DB_ALIAS, "past_refreshes", {"names": list(keys)})
    return PastRefreshes(
        durations={keys[name]: duration for name, duration, _ in rows if duration is not None},
        consecutive_failures={keys[name]: failures for name, _, failures in rows if failures},
    )


def _column_arrays(manifests: Iterable[Manifest], *, prefix: str = "") -> dict[str, list[object]]:
    """Return the identity of manifests as one list per column."""
    manifests = list(manifests)
    return {f"{prefix}{name}s": [getattr(manifest, name) for manifest in manifests] for name in _IDENTITY}
