"""The only writer of run history and job status. All times are by the database's clock."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import groupby

from django.db import DEFAULT_DB_ALIAS
from django.db.models import F, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce, Now

from seeder.domain.manifests import Manifest, ManifestKey, ReportType, ViewKey, ViewSpec
from seeder.domain.outcomes import OPEN_STATUSES, Outcome, RefreshResult, Status
from seeder.domain.plan import RefreshPlan
from seeder.errors import RunLockLost
from seeder.models import JobStatus, Run, RunHistory
from seeder.postgres.contract import OptionalTables
from seeder.postgres.named_statements import STATEMENTS
from seeder.postgres.row_counts import ViewBeforeRefresh
from seeder.postgres.sessions import Row, query, query_batch
from seeder.postgres.transactions import atomic
from seeder.postgres.view_state_queries import RECORD_VIEW_STATE, record_parameters

_IDENTITY = ("manifest_id", "report_type", "table_name", "report_name", "agency_id", "agency_slug")

# Named statement, with `RunHistoryWriter.other_refreshes_parameters`.
OTHER_REFRESHES = STATEMENTS["refreshes_by_other_runs"]


def refresh_by_another_run(rows: Iterable[Row], *, is_ours: Callable[[str, int], bool]) -> RefreshResult | None:
    """Return the first row of `OTHER_REFRESHES` about this view as a result.

    `is_ours` gets a report type and a manifest id, because two databases can have a view of the same name.
    """
    for run_id, kind, number, started, finished, row_count, size in rows:
        if is_ours(kind, number):
            return RefreshResult(
                outcome=Outcome.REFRESHED,
                started_at=started,
                finished_at=finished,
                rows=row_count,
                size_bytes=size or 0,
                satisfied_by=run_id,
            )
    return None


class RunHistoryWriter:
    """The rows of one run. Each goes from pending, or running if it takes long, to success or error, never back."""

    def __init__(self, run_id: str, *, namesakes: Mapping[ViewKey, Sequence[ManifestKey]] | None = None) -> None:
        """`namesakes` has the manifests of views with the same name in other databases, which share a status row."""
        self.run_id = run_id
        self._ids: dict[tuple[str, int], int] = {}
        self._namesakes = namesakes or {}
        self.deferred_statuses: dict[ViewKey, RefreshResult] = {}  # see `run.snapshot_rows`

    def insert_pending(self, plan: RefreshPlan) -> None:
        """Insert a pending row for each manifest, or an error if rejected."""
        columns = {f"{column}s": [getattr(manifest, column) for manifest in plan.manifests] for column in _IDENTITY}
        with atomic(durable=True) if plan.rejected else nullcontext():  # one statement needs no transaction
            rows = query(DEFAULT_DB_ALIAS, STATEMENTS["insert_pending_rows"], {"run": self.run_id, **columns})
            self._ids = {(kind, number): pk for pk, kind, number in rows}
            for message, group in groupby(plan.rejected, key=lambda one: one.message):
                self._mark_failed([one.manifest for one in group], errors=message)

    def mark_running(self, specs: Iterable[ViewSpec]) -> None:
        """Mark the rows of running views, unless they are closed."""
        ids = [pk for spec in specs for pk in self.history_ids(spec)]
        query(DEFAULT_DB_ALIAS, STATEMENTS["mark_running"], {"ids": ids})

    def record_result(self, spec: ViewSpec, result: RefreshResult) -> None:
        """Close the rows of a view. In the transaction of the refresh, both commit together.

        The notes of a failure are stored with its message; `cost_meter` writes the notes of every result.

        Raises `RunLockLost` if another run has closed the rows: then neither may commit.
        """
        if result.failure is None:
            self.record_success(spec, result)
            return
        closed = self._mark_failed(
            spec.manifests,
            errors="\n".join((result.failure.message, *result.notes)),
            last_start=result.started_at if result.attempts else None,
            start_time=result.started_at,
            finish_time=result.finished_at,
            duration_seconds=round(result.duration.total_seconds()),
        )
        if closed != len(spec.manifests):
            raise RunLockLost(run_id=self.run_id, view=spec.key.name)

    def record_success(
        self,
        spec: ViewSpec,
        result: RefreshResult,
        *,
        before: ViewBeforeRefresh | None = None,
        with_status: bool = True,
    ) -> RefreshResult:
        """Close the rows of a view that was created or refreshed. Return the recorded result.

        If `before` is given, this transaction did it, in this database: then size and end are measured, and the rows
        unless they were counted. Without `with_status`, the status row is written later.

        Raises `RunLockLost` as `record_result` does.
        """
        cost, name, measure = result.cost, spec.key.name, before is not None
        parameters = {
            "run": self.run_id,
            "ids": list(self.history_ids(spec)),
            "names": list(spec.table_names) if with_status else [],
            "schema": name.schema,
            "name": name.name,
            "started": result.started_at,
            "skipped": result.outcome is Outcome.SKIPPED,
            "finished": None if measure else result.finished_at,
            "counted": before is None or before.requires_count(result.mode),
            "rows": result.rows,
            "inserted_before": before and before.inserted,
            "deleted_before": before and before.deleted,
            "bytes": None if measure else result.size_bytes,
            "memory": None if cost.peak_memory_bytes is None else round(cost.peak_memory_bytes / 2**20),
            "cpu_seconds": None if cost.cpu_time is None else cost.cpu_time.total_seconds(),
        }
        statements = [STATEMENTS["mark_succeeded"]]
        if result.data is not None:
            statements.append(RECORD_VIEW_STATE)
            parameters |= record_parameters(spec.key, result.data)
        [(closed, rows, size, finished, *written)], *_ = query_batch(DEFAULT_DB_ALIAS, statements, parameters)
        if closed != len(spec.manifests):
            raise RunLockLost(run_id=self.run_id, view=name)
        if with_status:
            self._keep_failures(spec)
        if measure:
            cost = replace(cost, rows_inserted=written[0], rows_deleted=written[1])
        return replace(result, rows=rows, size_bytes=size, finished_at=finished, cost=cost)

    def shared_parameters(self, specs: Sequence[ViewSpec]) -> Mapping[str, object]:
        """Return the rows that `record_shared_refreshes` closes: each with the position of its view, from 1 on."""
        rows = sorted((pk, position) for position, spec in enumerate(specs, 1) for pk in self.history_ids(spec))
        tables = [(name, position) for position, spec in enumerate(specs, 1) for name in sorted(spec.table_names)]
        return {
            "run": self.run_id,
            "history_ids": [pk for pk, _ in rows],
            "history_positions": [position for _, position in rows],
            "table_names": [name for name, _ in tables],
            "table_positions": [position for _, position in tables],
        }

    def has_namesakes(self, view: ViewKey) -> bool:
        """Return whether a view in another database has the same name, so that both share a status row."""
        return view in self._namesakes

    def record_deferred_status(self, spec: ViewSpec) -> None:
        """Write the status row of a view that has succeeded, if its transaction could not.

        A refresh of another run that started later has written its own status.
        """
        if (result := self.deferred_statuses.get(spec.key)) is None:
            return
        times = {"started": result.started_at, "finished": result.finished_at}
        parameters = {"run": self.run_id, "names": list(spec.table_names), **times}
        query(DEFAULT_DB_ALIAS, STATEMENTS["mark_status_succeeded"], parameters)
        self._keep_failures(spec)
        del self.deferred_statuses[spec.key]

    def _keep_failures(self, spec: ViewSpec) -> None:
        if others := self._namesakes.get(spec.key):
            report_types, manifest_ids = zip(*others, strict=True)
            others_by_column = {"report_types": list(report_types), "manifest_ids": list(manifest_ids)}
            names = {"names": list(spec.table_names)}
            query(DEFAULT_DB_ALIAS, STATEMENTS["keep_failures"], {**others_by_column, **names})

    def history_ids(self, spec: ViewSpec) -> tuple[int, ...]:
        """Return the primary keys of a view's rows."""
        return tuple(self._ids[manifest.key] for manifest in spec.manifests)

    def has_recorded(self, spec: ViewSpec, result: RefreshResult) -> bool:
        """Return whether the rows already have this result.

        If the connection is lost before the answer to COMMIT arrives, the client does not know whether the refresh has
        committed. The recorded row shows it, because it commits with the refresh. So the result is kept before COMMIT
        is sent. After a lost connection, the row is read before the next attempt:
          - the row has the kept result: the commit succeeded, and the result is final;
          - the row differs: the transaction was rolled back, and the next attempt repeats it.
        Reading the row locks it. While the server still works on the commit, the reader waits for that lock.
        """
        with atomic():
            rows = self._rows(spec.manifests).select_for_update().values_list("status", "finish_time")
            return set(rows) == {(result.outcome.status, result.finished_at)}

    def other_refreshes_parameters(
        self, spec: ViewSpec, *, after: datetime, with_own: bool = False
    ) -> Mapping[str, object]:
        """Return the parameters of `OTHER_REFRESHES`, for refreshes that started after a time.

        `with_own` adds one of this run, whose commit was not answered.
        """
        return {"names": list(spec.table_names), "after": after, "excluded_run": None if with_own else self.run_id}

    def mark_interrupted(self, reason: str) -> None:
        """Close the open rows, because the run ends."""
        with atomic(durable=True):
            close_open_rows(self.run_id, reason=f"interrupted: {reason}")

    def _mark_failed(
        self, manifests: Iterable[Manifest], *, errors: str, last_start: datetime | None = None, **columns: object
    ) -> int:
        """Close open rows with an error. Return their number.

        `last_start` is the start of the refresh, or None if it never started.
        Rows are locked before statuses, as in every transaction, so that there are no deadlocks.
        """
        manifests = list(manifests)
        values = {"finish_time": Now(), **columns}
        open_rows = self._rows(manifests).exclude(status__in=(Status.SUCCESS, Status.ERROR))
        closed = open_rows.update(status=Status.ERROR, errors=errors, updated_at=Now(), **values)
        JobStatus.objects.filter(table_name__in={manifest.table_name for manifest in manifests}).update(
            status=Status.ERROR,
            last_errors=errors,
            last_run_id=self.run_id,
            start_time=F("start_time") if last_start is None else last_start,
            duration_seconds=columns.get("duration_seconds", 0),
            consecutive_failures=Coalesce(F("consecutive_failures"), 0) + 1,
            updated_at=Now(),
        )
        self._rows(manifests).update(consecutive_failures=_failure_streak())
        return closed

    def _rows(self, manifests: Iterable[Manifest]) -> "QuerySet[RunHistory]":
        return RunHistory.objects.filter(pk__in=[self._ids[one.key] for one in manifests])


def finished_manifests(run_ids: Collection[str], status: Status) -> Mapping[str, set[ManifestKey]]:
    """Return the manifests whose rows have this status, by run. Runs without such a row are left out."""
    found: dict[str, set[ManifestKey]] = {}
    rows = RunHistory.objects.filter(run_id__in=run_ids, status=status)
    for run_id, report_type, manifest_id in rows.values_list("run_id", "report_type", "manifest_id"):
        found.setdefault(run_id, set()).add((ReportType(report_type), manifest_id))
    return found


def count_manifests(run_ids: Collection[str]) -> Mapping[str, int]:
    """Return the numbers of manifests that succeeded in one of the runs, and that only failed."""
    succeeded, failed = (
        set[ManifestKey]().union(*finished_manifests(run_ids, status).values())
        for status in (Status.SUCCESS, Status.ERROR)
    )
    return {"succeeded": len(succeeded), "failed": len(failed - succeeded)}


def open_runs(tables: OptionalTables) -> Sequence[str]:
    """Return the runs with open rows in the history or run table."""
    runs = _open_rows().values_list("run_id", flat=True)
    if tables.is_usable("seeder_run"):
        runs = runs.union(Run.objects.unfinished().values_list("run_id", flat=True))
    return sorted(set(runs))


def close_open_rows(run_id: str, *, reason: str, may_close: Callable[[str], bool] = lambda _: True) -> int:
    """Close the open rows of a run whose views `may_close` accepts as interrupted. Return their number.

    An interruption is no failure of a view. A view that was not started keeps its last state.
    """
    open_rows = [row for row in _open_rows().filter(run_id=run_id).select_for_update() if may_close(row.table_name)]
    started = {row.table_name for row in open_rows if row.status == Status.RUNNING}
    unstarted = {row.table_name for row in open_rows} - started
    # A later run of the same view has its own status.
    statuses = JobStatus.objects.filter(table_name__in=started | unstarted, last_run_id=run_id)
    list(statuses.order_by("table_name").select_for_update())  # in the order of every run, so without deadlocks
    ended = {"status": Status.ERROR, "updated_at": Now()}
    statuses.filter(table_name__in=started).update(last_errors=reason, **ended)
    parameters = {"run": run_id, "names": sorted(unstarted), "reason": reason}
    query(DEFAULT_DB_ALIAS, STATEMENTS["restore_statuses"], parameters)
    rows = RunHistory.objects.filter(pk__in=[row.pk for row in open_rows])
    return rows.update(errors=reason, finish_time=Now(), consecutive_failures=_failure_streak(), **ended)


def _open_rows() -> QuerySet[RunHistory]:
    return RunHistory.objects.filter(status__in=OPEN_STATUSES)


def _failure_streak() -> Subquery:
    """Return the failures in a row of a history row's view."""
    return Subquery(JobStatus.objects.filter(table_name=OuterRef("table_name")).values("consecutive_failures"))


def past_refreshes(specs: Iterable[ViewSpec]) -> tuple[Mapping[ViewKey, timedelta], Mapping[ViewKey, int]]:
    """Return each view's latest duration, and its failures in a row since."""
    keys = {manifest.table_name: spec.key for spec in specs for manifest in spec.manifests}
    rows = query(DEFAULT_DB_ALIAS, STATEMENTS["past_refreshes"], {"names": list(keys)})
    durations = {keys[name]: duration for name, duration, _ in rows if duration is not None}
    return durations, {keys[name]: failures for name, _, failures in rows if failures}
