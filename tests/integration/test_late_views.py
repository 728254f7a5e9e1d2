"""A view that misses a freshness contract is stale in every list, total and metric."""

from datetime import timedelta

import pytest
from pytest_django import Settings

from seeder.domain.monitoring.report_jobs import GroupBy, JobFilter, JobPageRequest
from seeder.domain.refresh_requests import AllReports
from seeder.models import Freshness
from seeder.services import request_narrowing
from seeder.services.read_models import agency_list, current_activity, job_list, metrics_snapshot
from seeder.services.read_models.agency_freshness import read_freshness
from seeder.services.read_models.freshness_overview import freshness_overview
from seeder.services.request_narrowing import Narrowing
from seeder.services.run import orchestrator
from tests.conftest import create_custom_manifest, sql


@pytest.fixture(autouse=True)
def views(contract_tables: None) -> None:  # the tables have to exist
    """Refresh two views. The data of the first are two hours old."""
    create_custom_manifest("Reporting.old", "SELECT 1 AS n")
    create_custom_manifest("reporting.new", "SELECT 1 AS n", agency="metro")
    orchestrator.execute_run(AllReports())
    sql("UPDATE reporting.seeder_view_state SET data_as_of = data_as_of - interval '2 hours' WHERE view_name = 'old'")


def stale_names(agencies: list[str] | None = None) -> list[str]:
    wanted = JobFilter(visible_agencies=agencies, stale=True)
    return [job.table_name for job in job_list.job_page(wanted, JobPageRequest(), group_by=GroupBy.MANIFEST).jobs]


def test_view_that_misses_a_contract_is_stale_everywhere() -> None:
    assert stale_names() == []
    Freshness.objects.create(table_name="reporting.old", target_lag=timedelta(hours=1))
    assert stale_names() == ["Reporting.old"]
    assert job_list.job_totals(JobFilter()).stale == 1
    assert {one.slug: one.stale for one in agency_list.fetch_page(None, None, max_rows=9).rows} == {
        "demo": 1,
        "metro": 0,
    }
    assert current_activity.read_activity(None, with_runs=False, with_queue=False).jobs.stale == 1
    assert metrics_snapshot.read_metrics().job_totals.stale == 1
    request = request_narrowing.narrow([AllReports()], Narrowing(is_stale=True))
    assert [view.key.name.name for view in orchestrator.preview(request).views] == ["old"]


@pytest.mark.parametrize("contract", [{"table_name": "reporting.old"}, {"agency_slug": "demo"}])
def test_contract_decides_instead_of_stale_hours(settings: Settings, contract: dict[str, str]) -> None:
    for table in ("seeder_run_history", "seeder_job_status"):
        older = "start_time = start_time - interval '2 hours'"
        sql(f"UPDATE reporting.{table} SET {older} WHERE table_name = 'Reporting.old'")
    settings.SEEDER = {"STALE_HOURS": 1}

    def judged() -> tuple[bool, bool, int, str]:
        """Return if lists, the reason for attention and the totals count the view as late, and what its readers see."""
        contracted = freshness_overview().contracted
        troubled = job_list.troubled_jobs(None, contracted, max_failing=9, max_others=9)
        is_listed = bool(troubled.late.jobs or contracted.late_tables)
        return bool(stale_names()), is_listed, job_list.job_totals(JobFilter()).stale, read_freshness("demo").state

    assert judged() == (True, True, 1, "late")
    row = Freshness.objects.create(**contract, target_lag=timedelta(hours=3))
    assert judged() == (False, False, 0, "on time")
    row.target_lag = timedelta(minutes=90)
    row.save()
    assert judged() == (True, True, 1, "late")
    sql("REFRESH MATERIALIZED VIEW reporting.old")  # now the state of the contract is unknown
    assert judged()[:3] == (True, True, 1)


def test_contract_of_severity_warn_makes_no_view_stale() -> None:
    Freshness.objects.create(table_name="reporting.old", target_lag=timedelta(hours=1), severity="warn")
    assert stale_names() == []


def test_contract_of_a_hidden_agency_does_not_count() -> None:
    create_custom_manifest("Reporting.old", "SELECT 1 AS n", agency="metro")
    Freshness.objects.create(agency_slug="demo", target_lag=timedelta(hours=1))
    assert stale_names(["metro"]) == []
    assert stale_names(["demo"]) == ["Reporting.old"]
