"""Two to eight runs at once over shared views. The views themselves tell how often they were filled, and by how many.

SEEDER_RACES says how often; `make soak` races 200 times.
"""

import os
import random
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, BrokenBarrierError

import pytest
from pytest_django import Settings

from seeder.domain.outcomes import RunSummary
from seeder.domain.refresh_requests import AgencyReports, AllReports, RefreshRequest, SingleView
from seeder.domain.run_events import RunStarted
from seeder.domain.view_names import ViewName
from seeder.models import JobStatus, RunHistory
from seeder.postgres import sessions
from seeder.services.run import orchestrator
from seeder.services.run_history import RunHistoryWriter
from tests.conftest import AGENCIES, create_canned_report, create_custom_manifest, sql

pytestmark = pytest.mark.slow

RACES = int(os.environ.get("SEEDER_RACES", "10"))
STUCK = 120  # seconds
REQUESTS: Sequence[RefreshRequest] = (AllReports(), *(AgencyReports(slug=slug) for slug in AGENCIES))
VIEWS = {f"reporting.{name}" for name in ("a", "b", "c", "d", "reader", "demo", "metro")}

# What every view reads: it says by which run the view is filled, and fails unless every filling of it that ever began
# has ended well. Sequences count also what is undone.
FILLING = """
    CREATE TABLE reporting.fillings (name text);
    CREATE FUNCTION reporting.filling(view text) RETURNS text VOLATILE LANGUAGE plpgsql AS $$
    BEGIN
        IF nextval('reporting.begun_' || view) <> 1 + (SELECT count(*) FROM reporting.fillings WHERE name = view) THEN
            RAISE '% is being filled, or was in vain', view;
        END IF;
        INSERT INTO reporting.fillings VALUES (view);
        PERFORM pg_sleep(0.005);
        RETURN current_setting('application_name');
    END $$"""
FILLINGS = "SELECT count(*) FROM reporting.fillings"
DEADLOCKS = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"


@pytest.fixture
def shared_views(contract_tables: None) -> None:
    sql(FILLING + "".join(f"; CREATE SEQUENCE reporting.begun_{view.partition('.')[2]}" for view in sorted(VIEWS)))
    for name in "abcd":
        create_canned_report(
            f"reporting.{name}", f"SELECT reporting.filling('{name}') AS run", agencies=tuple(AGENCIES)
        )
    reader = "SELECT reporting.filling('reader') AS run FROM reporting.a"
    create_canned_report("reporting.reader", reader, agencies=("metro", "harbor"))
    for name in ("demo", "metro"):
        create_custom_manifest(f"reporting.{name}", f"SELECT reporting.filling('{name}') AS run", agency=name)


def race(requests: Sequence[RefreshRequest]) -> list[RunSummary]:
    """Run them all at once: all have asked before any of them begins to refresh."""
    line = Barrier(len(requests), timeout=STUCK)

    def one(request: RefreshRequest) -> RunSummary:
        try:
            return orchestrator.execute_run(
                request, on_event=lambda event: isinstance(event, RunStarted) and line.wait()
            )
        finally:
            line.abort()  # who has not come to the line yet never will
            sessions.close_thread_connections()

    with ThreadPoolExecutor(len(requests)) as threads:
        endings = [threads.submit(one, request) for request in requests]
    errors = [error for ending in endings if (error := ending.exception())]
    assert not [error for error in errors if not isinstance(error, BrokenBarrierError)]
    return [ending.result() for ending in endings]


def check(summaries: Sequence[RunSummary], fillings: int, *, killed: str) -> None:
    views = {view.key for summary in summaries for view in summary.results}
    assert fillings == len(views), "the total work of one run"
    told = sum(len(view.spec.manifests) for summary in summaries for view in summary.results)
    racing = {summary.run_id for summary in summaries}
    dead, living = RunHistory.objects.filter(run_id=killed), RunHistory.objects.filter(run_id__in=racing)
    assert dead.exists()
    assert not dead.exclude(status="error", errors__startswith="interrupted: "), "whoever came first has closed it"
    rows = Counter(living.values_list("status", flat=True))
    assert rows == {"success": told}, list(living.exclude(status="success").values_list("table_name", "errors"))
    assert all(summary.failed == 0 and not summary.interrupted for summary in summaries)
    for status in JobStatus.objects.exclude(last_run_id=killed):
        assert (status.status, status.consecutive_failures) == ("success", 0)
        [(filled_by,)] = sql(f"SELECT run FROM {status.table_name}")
        assert filled_by.removeprefix("seeder ") in racing


@pytest.mark.usefixtures("shared_views")
def test_however_many_race_each_view_is_filled_once_and_by_one_at_a_time(settings: Settings) -> None:
    chance, deadlocks = random.Random(20261121), sql(DEADLOCKS)  # noqa: S311  # requests, not secrets
    for number in range(RACES):
        settings.SEEDER = {"MAX_WORKERS": chance.randint(1, 4), "REFRESH_CONCURRENTLY": chance.random() < 0.3}
        if number % 2:
            sql("".join(f"DROP MATERIALIZED VIEW IF EXISTS {view} CASCADE;" for view in sorted(VIEWS)))
        JobStatus.objects.all().delete()
        killed = f"killed before race {number}"
        for view in sorted(VIEWS, reverse=True):  # against the order in which runs take up the statuses
            RunHistoryWriter(killed).insert_pending(orchestrator.preview(SingleView(name=ViewName.parse(view))))
        [(before,)] = sql(FILLINGS)
        summaries = race([chance.choice(REQUESTS) for _ in range(2 + number % 7)])
        [(after,)] = sql(FILLINGS)
        check(summaries, after - before, killed=killed)
    sessions.close_thread_connections()
    assert sql(DEADLOCKS) == deadlocks
