"""The contracts that are not fresh, which the server finds without the others."""

from collections.abc import Sequence
from datetime import timedelta

import pytest
from pytest_django import Settings

from seeder.domain.freshness.states import FreshnessState, LateCause
from seeder.domain.refresh_requests import AllReports
from seeder.domain.view_names import ViewName
from seeder.models import CustomReportManifest, Freshness, JobStatus
from seeder.services.read_models.freshness_overview import FreshnessOverview, freshness_overview
from seeder.services.run import orchestrator
from seeder.services.run.run_liveness_lock import RunLock
from tests.conftest import create_canned_report, create_custom_manifest, sql

pytestmark = pytest.mark.usefixtures("contract_tables")

HOUR = timedelta(hours=1)
_UNKNOWN_DURATIONS = "UPDATE reporting.seeder_job_status SET duration_seconds = NULL"  # of skipped views


@pytest.fixture
def views(contract_tables: None) -> None:
    """Views `a` and `b` of demo, `c` of metro and `shared` of both, and `old_…` with data of three hours ago."""
    for name in ("a", "b", "old_a", "old_b"):
        create_custom_manifest(f"reporting.{name}", "SELECT 1 AS n")
    for name in ("c", "old_c"):
        create_custom_manifest(f"reporting.{name}", "SELECT 1 AS n", agency="metro")
    for name in ("shared", "old_shared"):
        create_canned_report(f"reporting.{name}", "SELECT 1 AS n", agencies=("demo", "metro"))
    orchestrator.execute_run(AllReports())
    sql(
        "UPDATE reporting.seeder_view_state SET data_as_of = data_as_of - interval '3 hours'"
        " WHERE view_name LIKE 'old%%'"
    )


def pairs(overview: FreshnessOverview) -> Sequence[tuple[str, int]]:
    return [(one.table_name.removeprefix("reporting."), one.contract.id) for one in overview.statuses]


def require_same(agencies: Sequence[str] | None = None) -> FreshnessOverview:
    """Return the overview, which has the same contracts as one of all, without the fresh ones."""
    found, complete = freshness_overview(agencies), freshness_overview(agencies, with_fresh=None)
    assert [one for one in found.statuses if not one.is_fresh] == [one for one in complete.statuses if not one.is_fresh]
    assert (found.counts, found.total, found.invalid) == (complete.counts, complete.total, complete.invalid)
    return found


@pytest.mark.usefixtures("views")
def test_fresh_contracts_are_counted_and_others_are_returned() -> None:
    demo = Freshness.objects.create(agency_slug="demo", target_lag=2 * HOUR).pk
    metro = Freshness.objects.create(agency_slug="metro", target_lag=4 * HOUR).pk
    found = require_same()
    assert pairs(found) == [("old_a", demo), ("old_b", demo), ("old_shared", demo), ("old_shared", metro)]
    assert (found.total, found.other_fresh) == (10, 6)
    assert pairs(require_same(["demo"])) == [("old_a", demo), ("old_b", demo), ("old_shared", demo)]
    assert pairs(require_same(["metro"])) == []
    assert require_same(["metro"]).other_fresh == 4
    assert not require_same(["harbor"])


@pytest.mark.usefixtures("views")
@pytest.mark.parametrize("status", ["pending", "running"])
def test_view_of_a_killed_run_does_not_count_as_running(status: str) -> None:
    Freshness.objects.create(table_name="reporting.old_a", target_lag=HOUR)
    JobStatus.objects.filter(table_name="reporting.old_a").update(status=status)

    def cause() -> LateCause | None:
        [found] = freshness_overview().statuses
        return found.judgement.cause

    assert cause() is LateCause.INTERRUPTED
    with RunLock(JobStatus.objects.get(table_name="reporting.old_a").last_run_id or ""):
        assert cause() is (LateCause.WAITING if status == "pending" else LateCause.RUNNING)


@pytest.mark.usefixtures("views")
def test_contract_of_a_view_replaces_those_of_its_agencies_in_counts_too() -> None:
    Freshness.objects.create(agency_slug="demo", target_lag=2 * HOUR)
    for lag in (5, 6):
        Freshness.objects.create(table_name="reporting.b", target_lag=lag * HOUR)
        Freshness.objects.create(table_name="reporting.old_b", target_lag=lag * HOUR)
    Freshness.objects.create(table_name="reporting.gone", target_lag=HOUR)
    found = require_same()
    assert [one.table_name for one in found.statuses if one.is_late] == ["reporting.old_a", "reporting.old_shared"]
    assert (found.counts[FreshnessState.FRESH], len(found.invalid)) == (6, 1)
    assert require_same(["metro"]).total == 0


@pytest.mark.usefixtures("views")
@pytest.mark.parametrize(
    "change",
    [
        "UPDATE reporting.seeder_job_status SET status = 'running' WHERE table_name = 'reporting.a'",
        "UPDATE reporting.seeder_job_status SET status = 'error', consecutive_failures = 1",
        _UNKNOWN_DURATIONS,
        "UPDATE reporting.seeder_job_status SET duration_seconds = 10800",
        f"{_UNKNOWN_DURATIONS}; UPDATE reporting.seeder_run_history SET start_time = start_time - interval '2 hours'",
        "DELETE FROM reporting.seeder_job_status; DELETE FROM reporting.seeder_run_history",
        "UPDATE reporting.seeder_view_state SET data_as_of = NULL, unknown = 'hidden_inputs'",
        "DELETE FROM reporting.seeder_view_state",
        "REFRESH MATERIALIZED VIEW reporting.a",
        "DROP MATERIALIZED VIEW reporting.a",
        "ALTER MATERIALIZED VIEW reporting.a RENAME TO renamed",
        "DROP TABLE reporting.seeder_view_state",
    ],
)
def test_every_state_is_the_same_as_if_each_view_was_judged(change: str) -> None:
    for agency, lag in (("demo", 2), ("metro", 30)):
        Freshness.objects.create(agency_slug=agency, target_lag=lag * HOUR)
    for hour in range(0, 24, 4):
        Freshness.objects.create(agency_slug="demo", due_at=f"{hour:02}:30", due_zone="America/New_York")
    sql(change)
    require_same()


@pytest.mark.usefixtures("views")
def test_other_spellings_of_a_name_are_one_view() -> None:
    CustomReportManifest.objects.filter(table_name="reporting.old_b").update(table_name="Old_B")
    create_custom_manifest('"reporting".A', "SELECT 1 AS n", agency="metro")
    demo = Freshness.objects.create(agency_slug="demo", target_lag=2 * HOUR).pk
    Freshness.objects.create(agency_slug="metro", target_lag=HOUR / 6)
    found = require_same()
    assert ("Old_B", demo) in pairs(found)
    [both] = {one.agencies for one in freshness_overview(with_fresh=None).statuses if one.view.name.name == "a"}
    assert both == ("demo", "metro")


@pytest.mark.usefixtures("views")
def test_views_of_other_databases_are_judged_by_their_own_state(settings: Settings) -> None:
    settings.SEEDER = {"DATABASES": {1: "default", 2: "archive"}}
    Freshness.objects.create(agency_slug="demo", target_lag=2 * HOUR)
    CustomReportManifest.objects.filter(table_name="reporting.a").update(database_id=2)
    CustomReportManifest.objects.filter(table_name="reporting.old_b").update(database_id=3)
    assert [one for one, _ in pairs(require_same())] == ["old_a", "old_shared", "a"]


@pytest.mark.usefixtures("views")
def test_contracts_of_named_views_include_fresh_ones() -> None:
    Freshness.objects.create(agency_slug="demo", target_lag=2 * HOUR)
    names = {ViewName(schema="reporting", name=name) for name in ("a", "old_a", "c", "gone")}
    CustomReportManifest.objects.filter(table_name="reporting.a").update(table_name='"a"')
    found = freshness_overview(views=names)
    assert [(one.table_name, one.is_late) for one in found.statuses] == [("reporting.old_a", True), ('"a"', False)]


@pytest.mark.usefixtures("views")
def test_first_fresh_contracts_are_returned_on_demand() -> None:
    Freshness.objects.create(agency_slug="metro", target_lag=4 * HOUR)
    found = freshness_overview(with_fresh=2)
    assert [one for one, _ in pairs(found)] == ["c", "old_c"]
    assert (found.other_fresh, found.total) == (2, 4)
