"""The only writer of run history and job status. All instants are by the database's clock."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import groupby

from django.db import DEFAULT_DB_ALIAS
from django.db.models import F, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce, Now

from seeder.domain.manifests import Manifest, ViewKey, ViewSpec
from seeder.domain.outcomes import Outcome, RefreshResult, Status
from seeder.domain.plan import RefreshPlan
from seeder.errors import RowsClosed
from seeder.models import JobStatus, RunHistory
from seeder.postgres.sessions import one_transaction, part

_IDENTITY = ("table_name", "manifest_id", "report_name", "report_type", "agency_id", "agency_slug")


class RunRecord:
    """The rows of one run. Each goes from pending over running to success or error, and never back."""

    def __init__(self, run_id: str) -> None:
        self.run_id = run_id
        self._ids: dict[Manifest, int] = {}

    def open(self, plan: RefreshPlan) -> None:
        """Write every planned manifest as pending, and as an error every one that cannot be planned."""
        planned = [manifest for view in plan.views for manifest in view.spec.manifests]
        refused = [complaint.manifest for complaint in plan.complaints]
        with one_transaction(DEFAULT_DB_ALIAS):
            rows = RunHistory.objects.bulk_create(
                RunHistory(run_id=self.run_id, status=Status.PENDING, **_identity(manifest))
                for manifest in (*planned, *refused)
            )
            self._ids = {manifest: row.pk for manifest, row in zip((*planned, *refused), rows, strict=True)}
            self._show_pending((*planned, *refused))
            for message, complaints in groupby(plan.complaints, key=lambda complaint: complaint.message):
                self._end([complaint.manifest for complaint in complaints], Status.ERROR, errors=message)

    def running(self, spec: ViewSpec, *, at: datetime) -> None:
        """A refresh of the view begins."""
        with one_transaction(DEFAULT_DB_ALIAS):
            begun = {"status": Status.RUNNING, "start_time": at, "updated_at": Now()}
            # Where no row is pending, this was done before or somebody has closed them: then the status says how.
            if self._rows(spec.manifests).filter(status=Status.PENDING).update(**begun):
                _statuses(spec.manifests).update(**begun)

    def ended(self, spec: ViewSpec, result: RefreshResult) -> None:
        """A refresh of the view has ended. Called inside the refresh's own transaction, both commit together. Notes
        stand among the errors, as the contract has no other place for what people should read.

        Raises `RowsClosed` where somebody has taken the run for dead meanwhile: then neither may commit.
        """
        cost = result.cost
        closed = self._end(
            spec.manifests,
            result.outcome.status,
            start_time=result.started,
            finish_time=result.finished,
            duration_seconds=round(result.took.total_seconds()),
            records_processed=result.rows,
            bytes_processed=result.bytes,
            memory_usage_mb=None if cost.peak_memory_bytes is None else round(cost.peak_memory_bytes / 2**20),
            cpu_percentage=None if cost.cpu is None or not result.took else round(100 * (cost.cpu / result.took)),
            errors="\n".join((*([result.failure.message] if result.failure else []), *result.notes)) or None,
        )
        if closed != len(spec.manifests):
            raise RowsClosed(run_id=self.run_id, view=spec.key.name)

    def ids(self, spec: ViewSpec) -> tuple[int, ...]:
        """The primary keys of the rows of a view."""
        return tuple(self._ids[manifest] for manifest in spec.manifests)

    def has(self, spec: ViewSpec, result: RefreshResult) -> bool:
        """Whether the rows already say this: the answer to a connection that was lost while committing it. Where the
        server has not yet done with that commit, wait for it: the rows are locked until then."""
        with part(DEFAULT_DB_ALIAS):
            rows = self._rows(spec.manifests).select_for_update().values_list("status", "finish_time")
            return set(rows) == {(result.outcome.status, result.finished)}

    def of_another_run(
        self, spec: ViewSpec, *, after: datetime, is_in: Callable[[str, int, str], bool]
    ) -> RefreshResult | None:
        """The result of another run's refresh of the view that began after an instant, where there is one. `is_in` says
        whether the view of a report type's manifest is in the database of an alias: two may know views of one name."""
        others = (
            RunHistory.objects.filter(
                table_name__in={manifest.table_name for manifest in spec.manifests},
                status=Status.SUCCESS,
                start_time__gt=after,
            )
            .exclude(run_id=self.run_id)
            .order_by("-start_time")
        )
        for row in others:
            if row.finish_time is not None and is_in(row.report_type, row.manifest_id, spec.key.database):
                return RefreshResult(
                    outcome=Outcome.REFRESHED,
                    started=row.start_time,
                    finished=row.finish_time,
                    rows=row.records_processed or 0,
                    bytes=row.bytes_processed or 0,
                    satisfied_by=row.run_id,
                )
        return None

    def interrupted(self, why: str) -> None:
        """Close what has not ended, because the run ends here."""
        with one_transaction(DEFAULT_DB_ALIAS):
            left = RunHistory.objects.filter(
                pk__in=self._ids.values(), status__in=(Status.PENDING, Status.RUNNING)
            ).values_list("pk", flat=True)
            open_ids = set(left.select_for_update())
            manifests = [manifest for manifest, pk in self._ids.items() if pk in open_ids]
            # A view that a later run has taken up says what that one makes of it.
            ours = _statuses(manifests).filter(last_run_id=self.run_id)
            _lock_in_order(ours)
            self._end(manifests, Status.ERROR, errors=f"interrupted: {why}", statuses=ours)

    def _end(
        self,
        manifests: Iterable[Manifest],
        status: Status,
        *,
        errors: str | None,
        statuses: QuerySet[JobStatus] | None = None,
        **facts: object,
    ) -> int:
        manifests = list(manifests)
        failures = Coalesce(F("consecutive_failures"), 0) + 1 if status is Status.ERROR else Value(0)
        # The rows before the statuses, as everybody does, so that nobody waits for anybody in a circle.
        ended = {"finish_time": Now(), "consecutive_failures": 0, **facts}
        closed = (
            self._rows(manifests)
            .filter(status__in=(Status.PENDING, Status.RUNNING))
            .update(status=status, errors=errors, updated_at=Now(), **ended)
        )
        (_statuses(manifests) if statuses is None else statuses).update(
            status=status,
            last_errors=errors,
            last_run_id=self.run_id,
            duration_seconds=facts.get("duration_seconds", 0),
            consecutive_failures=failures,
            updated_at=Now(),
        )
        if status is Status.ERROR:
            self._rows(manifests).update(consecutive_failures=_streak())
        return closed

    def _rows(self, manifests: Iterable[Manifest]) -> "QuerySet[RunHistory]":
        return RunHistory.objects.filter(pk__in=[self._ids[manifest] for manifest in manifests])

    def _show_pending(self, manifests: Iterable[Manifest]) -> None:
        """Upsert one status row for each spelling of a view; the first manifest that uses it speaks for it."""
        speakers = {
            manifest.table_name: manifest for manifest in sorted(manifests, key=lambda m: m.order, reverse=True)
        }
        JobStatus.objects.bulk_create(
            [
                # In one order for everybody, so that two runs which share views never wait for each other in a circle.
                JobStatus(status=Status.PENDING, last_run_id=self.run_id, **_identity(speakers[name]))
                for name in sorted(speakers)
            ],
            update_conflicts=True,
            unique_fields=["table_name"],
            update_fields=[*_IDENTITY[1:], "status", "last_run_id", "updated_at"],
        )


def open_runs() -> Sequence[str]:
    """The runs that have rows which have not ended, dead or alive."""
    return list(_open_rows().values_list("run_id", flat=True).distinct().order_by("run_id"))


def close(run_id: str, *, may_close: Callable[[str], bool]) -> int:
    """Close the open rows of a dead run, but for those whose view `may_close` refuses; how many."""
    rows = [row for row in _open_rows().filter(run_id=run_id).select_for_update() if may_close(row.table_name)]
    ended = {"status": Status.ERROR, "updated_at": Now()}
    why = "interrupted: the process that ran it ended before it could say how"
    names = {row.table_name for row in rows}
    # A view that a later run has taken up says what that one makes of it.
    statuses = JobStatus.objects.filter(table_name__in=names, last_run_id=run_id)
    _lock_in_order(statuses)
    statuses.update(last_errors=why, consecutive_failures=Coalesce(F("consecutive_failures"), 0) + 1, **ended)
    return RunHistory.objects.filter(pk__in=[row.pk for row in rows]).update(
        errors=why, finish_time=Now(), consecutive_failures=_streak(), **ended
    )


def _lock_in_order(statuses: QuerySet[JobStatus]) -> None:
    """In the order in which every run takes them up when it starts."""
    list(statuses.order_by("table_name").select_for_update().values_list("pk"))


def _open_rows() -> QuerySet[RunHistory]:
    return RunHistory.objects.filter(status__in=(Status.PENDING, Status.RUNNING))


def _streak() -> Subquery:
    """How often in a row the view of a history row has failed, as its status row knows."""
    return Subquery(JobStatus.objects.filter(table_name=OuterRef("table_name")).values("consecutive_failures"))


def usual_durations(specs: Iterable[ViewSpec]) -> dict[ViewKey, timedelta]:
    """How long each view took when it last succeeded, for those that ever did."""
    keys = {manifest.table_name: spec.key for spec in specs for manifest in spec.manifests}
    latest = (
        RunHistory.objects.filter(table_name__in=keys, status=Status.SUCCESS, finish_time__isnull=False)
        .order_by("table_name", "-start_time")
        .distinct("table_name")
        .values_list("table_name", "start_time", "finish_time")
    )
    return {keys[name]: finished - started for name, started, finished in latest if finished}


def failures_in_a_row(specs: Iterable[ViewSpec]) -> dict[ViewKey, int]:
    """How often in a row each view has failed so far, for those that failed last."""
    keys = {manifest.table_name: spec.key for spec in specs for manifest in spec.manifests}
    failing = JobStatus.objects.filter(table_name__in=keys, consecutive_failures__gt=0)
    return {keys[name]: failures or 0 for name, failures in failing.values_list("table_name", "consecutive_failures")}


def _identity(manifest: Manifest) -> Mapping[str, object]:
    return {name: getattr(manifest, name) for name in _IDENTITY}


def _statuses(manifests: Iterable[Manifest]) -> "QuerySet[JobStatus]":
    return JobStatus.objects.filter(table_name__in={manifest.table_name for manifest in manifests})
