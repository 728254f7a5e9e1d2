"""The doctor finds views whose concurrent refreshes cost too much."""

from datetime import timedelta

import pytest
from django.db.models import F
from pytest_django import Settings

from seeder.domain.refresh_requests import AllReports
from seeder.models import RunHistory, RunMetrics
from seeder.services.doctor.check_types import Diagnosis
from seeder.services.doctor.run_checks import run_checks
from seeder.services.run import orchestrator
from tests.conftest import create_custom_manifest, sql

pytestmark = pytest.mark.usefixtures("empty_queue")
NAMES = {"key_has_nulls", "view_bloated", "rows_unordered"}


@pytest.fixture(autouse=True)
def _with_concurrent_refreshes(settings: Settings, empty_queue: None) -> None:
    settings.SEEDER = {"REFRESH_CONCURRENTLY": True, "VACUUM_CHURN_PERCENT": 0}


def create_view(query: str, *, key: str = "n") -> None:
    sql(f"CREATE MATERIALIZED VIEW reporting.a WITH (autovacuum_enabled = off) AS {query}")
    sql(f"CREATE UNIQUE INDEX ON reporting.a ({key}); ANALYZE reporting.a")
    create_custom_manifest("reporting.a", query)


def find() -> dict[str, Diagnosis]:
    found = run_checks(compare_queries=False).diagnoses
    assert "check_failed" not in {one.problem.name for one in found}, found
    return {one.problem.name: one for one in found if one.problem.name in NAMES}


def test_key_with_nulls_is_found(settings: Settings) -> None:
    sql('CREATE TABLE reporting.source AS SELECT n, nullif(n % 10, 0) AS "K" FROM generate_series(1, 100) AS n')
    create_view('SELECT n, "K" FROM reporting.source', key='n, "K"')
    assert find()["key_has_nulls"].message == 'Some rows have nulls in "K", by ANALYZE.'
    summary = orchestrator.execute_run(AllReports())
    [result] = summary.results.values()
    assert result.cost.rows_inserted == 10, "unchanged rows with nulls are written again"
    settings.SEEDER = {}
    assert find() == {}


def test_null_outside_the_key_is_no_problem() -> None:
    create_view("SELECT n, nullif(n % 10, 0) AS k FROM generate_series(1, 100) AS n")
    sql("CREATE UNIQUE INDEX ON reporting.a (n) INCLUDE (k)")
    assert find() == {}


def test_view_larger_than_after_its_last_plain_refresh_is_bloated(settings: Settings) -> None:
    create_view("SELECT n FROM generate_series(1, 100) AS n")
    settings.SEEDER = {"REFRESH_CONCURRENTLY": False}
    orchestrator.execute_run(AllReports())
    assert find() == {}
    settings.SEEDER = {"REFRESH_CONCURRENTLY": True}
    orchestrator.execute_run(AllReports())
    assert find() == {}
    latest = RunHistory.objects.latest("id")
    RunHistory.objects.filter(pk=latest.pk).update(bytes_processed=F("bytes_processed") * 2)
    found = find()["view_bloated"]
    assert found.message == "A row takes 2.0 times the space that it took after the last plain refresh."
    assert found.sql == "REFRESH MATERIALIZED VIEW reporting.a;"


@pytest.mark.parametrize(
    ("query", "is_found"),
    [
        ("SELECT n, n % 7 AS k FROM generate_series(1, 10000) AS n", True),
        ("SELECT n, n % 7 AS k FROM generate_series(1, 10000) AS n ORDER BY n, k", False),
        ("SELECT n, n % 7 AS k FROM generate_series(1, 10000) AS n ORDER BY k, n", True),
        ("SELECT n AS \"a :b\", n FROM generate_series(1, 10000) AS n ORDER BY 1 DESC", False),
        # Not more: rows that were inserted just before ANALYZE count twice until the session reports them.
        ("SELECT n FROM generate_series(1, 4999) AS n", False),
        ("SELECT n FROM (SELECT n FROM generate_series(1, 10000) AS n ORDER BY n) AS sub", True),
        ("SELECT n, (SELECT max(2)) AS k FROM generate_series(1, 10000) AS n ORDER BY n", False),
        ("SELECT n FROM generate_series(1, 9999) AS n UNION ALL SELECT 10000 ORDER BY n", False),
        ("WITH q AS (SELECT n FROM generate_series(1, 10000) AS n ORDER BY n) SELECT n, 1 FROM q ORDER BY 2", True),
    ],
)  # fmt: skip
def test_view_without_order_by_its_first_column_is_found(query: str, is_found: bool) -> None:  # noqa: FBT001
    create_view(query)
    assert ("rows_unordered" in find()) is is_found


def test_order_matters_only_for_views_that_are_refreshed_concurrently(settings: Settings) -> None:
    create_view("SELECT n FROM generate_series(1, 10000) AS n")
    settings.SEEDER = {"REFRESH_CONCURRENTLY": "auto"}
    assert find() == {}
    orchestrator.execute_run(AllReports())
    assert find().keys() == {"rows_unordered"}
    RunMetrics.objects.update(mode="plain")
    RunHistory.objects.update(finish_time=F("start_time") + timedelta(seconds=1))
    assert find() == {}
    settings.SEEDER = {"REFRESH_CONCURRENTLY": False}
    assert find() == {}
