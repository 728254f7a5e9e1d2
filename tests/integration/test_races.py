"""Races of two to eight runs over shared views.

The views count how often and by which run they are filled. SEEDER_RACES is the number of races; `make soak` has 200.
"""

import os
import random
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, BrokenBarrierError

import pytest
from django.db import connections
from pytest_django import Settings

from seeder.domain.outcomes import RunSummary
from seeder.domain.refresh_requests import AgencyReports, AllReports, RefreshRequest, SingleView
from seeder.domain.run_events import RunStarted
from seeder.domain.view_names import ViewName
from seeder.models import JobStatus, RunHistory
from seeder.services.history_rows import RunHistoryWriter
from seeder.services.run import orchestrator
from tests.conftest import AGENCIES, create_canned_report, create_custom_manifest, sql

pytestmark = pytest.mark.slow

RACES = int(os.environ.get("SEEDER_RACES", "5"))
MAX_WAIT = 120  # seconds
REQUESTS: Sequence[RefreshRequest] = (AllReports(), *(AgencyReports(slug=slug) for slug in AGENCIES))
VIEWS = {f"reporting.{name}" for name in ("a", "b", "c", "d", "reader", "demo", "metro")}

# Every view calls this function. It returns the run that fills the view, and fails unless each earlier start of a fill
# has succeeded. Sequences also count rolled back starts.
FILL_FUNCTION = """
    CREATE TABLE reporting.fillings (name text);
    CREATE FUNCTION reporting.filling(view text) RETURNS text VOLATILE LANGUAGE plpgsql AS $$
    BEGIN
        IF nextval('reporting.begun_' || view) <> 1 + (SELECT count(*) FROM reporting.fillings WHERE name = view) THEN
            RAISE '% is being filled, or an earlier fill failed', view;
        END IF;
        INSERT INTO reporting.fillings VALUES (view);
        PERFORM pg_sleep(0.005);
        RETURN current_setting('application_name');
    END $$"""
FILL_COUNT = "SELECT count(*) FROM reporting.fillings"
DEADLOCKS = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"


@pytest.fixture
def shared_views(contract_tables: None) -> None:
    sql(
        FILL_FUNCTION + "".join(f"; CREATE SEQUENCE reporting.begun_{view.partition('.')[2]}" for view in sorted(VIEWS))
    )
    for name in "abcd":
        create_canned_report(
            f"reporting.{name}", f"SELECT reporting.filling('{name}') AS run", agencies=tuple(AGENCIES)
        )
    reader = "SELECT reporting.filling('reader') AS run FROM reporting.a"
    create_canned_report("reporting.reader", reader, agencies=("metro", "harbor"))
    for name in ("demo", "metro"):
        create_custom_manifest(f"reporting.{name}", f"SELECT reporting.filling('{name}') AS run", agency=name)


def run_concurrently(requests: Sequence[RefreshRequest]) -> list[RunSummary]:
    """Execute all requests concurrently.

    No run starts to refresh before all have planned.
    """
    barrier = Barrier(len(requests), timeout=MAX_WAIT)

    def execute(request: RefreshRequest) -> RunSummary:
        try:
            return orchestrator.execute_run(
                request, on_event=lambda event: isinstance(event, RunStarted) and barrier.wait()
            )
        finally:
            barrier.abort()  # threads that have not reached the barrier never will
            connections.close_all()

    with ThreadPoolExecutor(len(requests)) as threads:
        futures = [threads.submit(execute, request) for request in requests]
    errors = [error for future in futures if (error := future.exception())]
    assert not [error for error in errors if not isinstance(error, BrokenBarrierError)]
    return [future.result() for future in futures]


def check_results(summaries: Sequence[RunSummary], fillings: int, *, killed_run: str) -> None:
    views = {view.key for summary in summaries for view in summary.results}
    assert fillings == len(views), "each view is filled once"
    subscription_count = sum(len(view.spec.manifests) for summary in summaries for view in summary.results)
    run_ids = {summary.run_id for summary in summaries}
    killed_rows, racing_rows = (
        RunHistory.objects.filter(run_id=killed_run),
        RunHistory.objects.filter(run_id__in=run_ids),
    )
    assert killed_rows.exists()
    assert not killed_rows.exclude(status="error", errors__startswith="interrupted: "), "the first run has closed it"
    rows = Counter(racing_rows.values_list("status", flat=True))
    assert rows == {"success": subscription_count}, list(
        racing_rows.exclude(status="success").values_list("table_name", "errors")
    )
    assert all(summary.failed == 0 and not summary.interrupted for summary in summaries)
    for status in JobStatus.objects.exclude(last_run_id=killed_run):
        assert (status.status, status.consecutive_failures) == ("success", 0)
        [(filled_by,)] = sql(f"SELECT run FROM {status.table_name}")
        assert filled_by.removeprefix("seeder ") in run_ids


@pytest.mark.usefixtures("shared_views")
def test_concurrent_runs_fill_each_view_once_without_overlap(settings: Settings) -> None:
    generator, deadlocks = random.Random(20261121), sql(DEADLOCKS)  # noqa: S311  # not used for security
    for number in range(RACES):
        settings.SEEDER = {"MAX_WORKERS": generator.randint(1, 4), "REFRESH_CONCURRENTLY": generator.random() < 0.3}
        if number % 2:
            sql("".join(f"DROP MATERIALIZED VIEW IF EXISTS {view} CASCADE;" for view in sorted(VIEWS)))
        JobStatus.objects.all().delete()
        killed_run = f"killed before race {number}"
        for view in sorted(VIEWS, reverse=True):  # reverse of the order in which runs lock the statuses
            RunHistoryWriter(killed_run).insert_pending(orchestrator.preview(SingleView(name=ViewName.parse(view))))
        [(fills_before,)] = sql(FILL_COUNT)
        summaries = run_concurrently([generator.choice(REQUESTS) for _ in range(2 + number % 7)])
        [(fills_after,)] = sql(FILL_COUNT)
        check_results(summaries, fills_after - fills_before, killed_run=killed_run)
    connections.close_all()
    assert sql(DEADLOCKS) == deadlocks
