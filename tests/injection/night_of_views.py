"""A small night: views of many kinds whose rows name the run that filled them, and assertions for the end of a run."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from django.db import connections

from seeder.domain.outcomes import RunSummary
from seeder.models import CustomReportManifest, DataCheck, JobStatus, RunHistory
from tests.conftest import create_canned_report, create_custom_manifest, sql
from tests.polling import eventually

SEEDER = {
    "DATABASES": {1: "default", 2: "archive"},
    "REFRESH_CONCURRENTLY": True,
    "MAX_WORKERS": 3,
    "MAX_FAILURES": 1000,
    "CONSISTENT_GROUPS": {"pair": {"views": ["reporting.list", "reporting.total"]}},
}
RUN = "SELECT current_setting('application_name') AS run"
ARCHIVE_VIEW = "reporting.elsewhere"  # in the other database
MISSING_VIEW = "reporting.new"  # missing before each run
GROUP = ("reporting.list", "reporting.total")
ROW_COUNT, FAILING_ROW_COUNT = 14, 4  # rows of views that fail in every run
_OPEN = ("pending", "running")
_DATABASES = ("default", "archive")


def create_manifests() -> None:
    sql("CREATE SCHEMA reporting", using="archive")
    sql("CREATE TABLE reporting.source AS SELECT 1 AS n")
    create_custom_manifest(ARCHIVE_VIEW, RUN)
    CustomReportManifest.objects.update(database_id=2)
    create_custom_manifest("reporting.indexed", RUN)  # can be refreshed concurrently
    create_custom_manifest("reporting.plain", RUN)
    create_custom_manifest("reporting.reader", f"{RUN} FROM reporting.plain")
    create_custom_manifest(MISSING_VIEW, RUN, agency="metro")
    create_custom_manifest("reporting.failing", f"{RUN} FROM reporting.source WHERE 1 / n = 1")
    create_custom_manifest("reporting.hopeless", "SELECT 1 / 0 AS run")
    create_custom_manifest("not.a.view", RUN, agency="harbor")
    create_canned_report("reporting.shared", RUN, agencies=("demo", "metro"))
    create_custom_manifest("REPORTING.Shared", RUN)  # another spelling
    create_custom_manifest("reporting.held", RUN)  # by a data check, after the first run
    for name in GROUP:
        create_custom_manifest(name, RUN)
        sql(f"CREATE MATERIALIZED VIEW {name} AS {RUN}; CREATE UNIQUE INDEX ON {name} (run)")
    for name, database in (("reporting.held", "default"), ("reporting.plain", "default"), (ARCHIVE_VIEW, "archive")):
        _add_checks(name, database)


def _add_checks(name: str, database: str) -> None:
    """Add checks that pass: in one scan, with a statement of its own, and with a look at the history."""
    for kind, arguments in (
        ("not_null", {"column": "run"}),
        ("unique", {"columns": ["run"]}),
        ("row_count", {"min": 1, "max_drop": 0}),
    ):
        DataCheck.objects.create(
            table_name=name, database_alias=database, check_name=kind, kind=kind, arguments=arguments
        )


def change_after_first_run() -> None:
    sql("CREATE UNIQUE INDEX ON reporting.indexed (run)")
    sql("UPDATE reporting.source SET n = 0")
    arguments = {"expression": "run IS NULL"}
    DataCheck.objects.create(table_name="reporting.held", check_name="none", kind="condition", arguments=arguments)


def table_names() -> set[str]:
    return set(CustomReportManifest.objects.values_list("table_name", flat=True)) | {"reporting.shared"}


@dataclass(frozen=True)
class StateBeforeRun:
    """The state before a run."""

    filled_by: Mapping[str, str | None]
    failures: Mapping[str, int | None]


def read_state() -> StateBeforeRun:
    failures = JobStatus.objects.values_list("table_name", "consecutive_failures")
    return StateBeforeRun(filled_by={name: filled_by(name) for name in table_names()}, failures=dict(failures))


def filled_by(name: str) -> str | None:
    """Return the run named by a view's rows, if there is any."""
    database = "archive" if name == ARCHIVE_VIEW else "default"
    if name == "not.a.view" or sql("SELECT to_regclass(%s) IS NULL", name, using=database) == [(True,)]:
        return None
    [(run,)] = sql(f"SELECT run FROM {name}", using=database)
    return str(run).removeprefix("seeder ")


def assert_no_open_rows() -> None:
    for table in (RunHistory, JobStatus):
        assert not table.objects.filter(status__in=_OPEN).exists(), "no row is open"


def is_interrupted(row: RunHistory) -> bool:
    return (row.errors or "").startswith("interrupted: ")


def assert_consistent(before: StateBeforeRun, *, summary: RunSummary | None) -> None:
    """Assert that no row is open, missing or wrong after a run.

    The run may have ended in any way, and recovery has followed.
    """
    rows = list(RunHistory.objects.all())
    assert len({(row.report_type, row.manifest_id) for row in rows}) == len(rows) in {0, ROW_COUNT}, (
        "each manifest has a row, or none has one"
    )
    assert_no_open_rows()
    after = read_state()
    for row in rows:
        name, filled = row.table_name, after.filled_by[row.table_name]
        assert row.finish_time, name
        assert row.start_time <= row.finish_time, name
        if row.status == "success":
            assert filled == row.run_id, f"{name}: a success has filled the view"
        elif name != ARCHIVE_VIEW or filled != row.run_id:
            assert filled == before.filled_by[name], f"{name}: a failed view is unchanged: {row.errors}"
        is_failure = row.status == "error" and not is_interrupted(row)
        streak = 0 if row.status == "success" else (before.failures[name] or 0) + is_failure
        assert (after.failures[name], row.consecutive_failures) == (streak, streak), f"{name}: failures in a row"
    assert len({after.filled_by[name] for name in GROUP}) == 1, "the members of a group are filled together"
    statuses = {status.table_name: status for status in JobStatus.objects.all()}
    for row in rows:
        status = statuses[row.table_name]
        if is_interrupted(row):  # a view that was not started keeps its last state
            assert status.status in {"success", "error"}
        else:
            assert (status.last_run_id, status.status, status.last_errors) == (row.run_id, row.status, row.errors), (
                f"{row.table_name}: the status matches the latest history row"
            )
    if not rows:
        assert before == after, "a run without rows changes nothing"
    if summary:
        _assert_summary_matches(summary, rows)


def _assert_summary_matches(summary: RunSummary, rows: list[RunHistory]) -> None:
    reported = {
        (manifest.report_type, manifest.manifest_id): (result.outcome.status, result.finished_at)
        for view, result in summary.results.items()
        for manifest in view.spec.manifests
    }
    rejected_keys = {(rejected.manifest.report_type, rejected.manifest.manifest_id) for rejected in summary.rejected}
    written = {(row.report_type, row.manifest_id): (row.status, row.finish_time) for row in rows}
    assert reported == {key: value for key, value in written.items() if key not in rejected_keys}, (
        "reported like recorded"
    )
    assert summary.duration >= timedelta()
    assert not summary.interrupted


def assert_no_sessions() -> None:
    """Assert that no session, and therefore no lock, remains."""
    others = (
        "SELECT pid, state, query FROM pg_stat_activity WHERE datname = current_database()"
        " AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
    )

    def sessions() -> list[tuple[object, ...]]:
        return [row for database in _DATABASES for row in sql(others, using=database)]

    # A backend ends shortly after its client.
    eventually(lambda: not sessions(), describe_failure=lambda: str(sessions()))
    for database in _DATABASES:
        connections[database].close()
