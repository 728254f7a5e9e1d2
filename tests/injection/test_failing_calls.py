"""One database call of a run fails, each in turn and in each of many ways. No row lies about it afterwards.

SEEDER_INJECTIONS says how many; `make soak` lets every call fail in every way.
"""

import os
import random
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta

import pytest
from django.db import connection
from pytest_django import Settings

from seeder.domain import backoff
from seeder.domain.outcomes import RunSummary
from seeder.domain.refresh_requests import AgencyReports, AllReports
from seeder.errors import SeederError
from seeder.models import RunHistory
from seeder.postgres import sessions
from seeder.services.run import cost_meter, orchestrator, orphan_recovery, run_lock, running_status
from tests.conftest import sql
from tests.injection import night_of_views
from tests.injection.database_calls import RUN, DatabaseCalls, counted_calls
from tests.injection.injected_failures import SERVER_SURVIVES, TRANSIENT, FailureKind

pytestmark = [pytest.mark.slow, pytest.mark.versions]

INJECTIONS = int(os.environ.get("SEEDER_INJECTIONS", "39"))
STUCK = 60  # seconds
HELD = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()"


@pytest.fixture
def night(contract_tables: None, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that is tried out already, waits for nothing between two attempts and shows at every turn that it lives."""
    settings.SEEDER = night_of_views.SEEDER
    monkeypatch.setattr(backoff, "delay", lambda *_, **__: timedelta())
    monkeypatch.setattr(run_lock, "_KEEPALIVE_INTERVAL", timedelta())
    # However short it is, each refresh is measured, and marked as running if anybody has the time.
    monkeypatch.setattr(cost_meter, "_MIN_DURATION", timedelta())
    monkeypatch.setattr(running_status, "_MARK_AFTER", timedelta())
    night_of_views.create_manifests()
    orchestrator.execute_run(AllReports())
    night_of_views.change_after_first_run()


def run(kind: FailureKind | None, k: int, among: str) -> tuple[RunSummary | None, DatabaseCalls]:
    """A run as of a process of its own: its connections end with it. Only an error that is foreseen may end it."""
    summary = None
    try:
        with counted_calls(kind, k, among) as calls, suppress(SeederError):
            summary = orchestrator.execute_run(AllReports())
        if not connection.is_usable():  # it may have been cut without anybody noticing yet
            connection.close()
        assert sql(HELD) == [(0,)], "a run that has ended holds no lock"
    finally:
        sessions.close_thread_connections()
    return summary, calls


def fail(kind: FailureKind | None = None, k: int = 0, among: str = "") -> tuple[RunSummary | None, DatabaseCalls]:
    """A run with a failing call, from a night as it was before to a night after which everything is true."""
    RunHistory.objects.all().delete()
    sql(f"DROP MATERIALIZED VIEW IF EXISTS {night_of_views.MISSING_VIEW}")
    before = night_of_views.read_state()
    sessions.close_thread_connections()
    with ThreadPoolExecutor(1, thread_name_prefix=RUN) as thread:
        summary, calls = thread.submit(run, kind, k, among).result(STUCK)
    if kind in SERVER_SURVIVES and calls.failed:
        night_of_views.assert_no_open_rows()
    orphan_recovery.recover_orphaned_runs()
    night_of_views.assert_consistent(before, summary=summary)
    night_of_views.assert_no_sessions()
    # Django hides that a savepoint could not be released, and what it says afterwards is not tried again.
    if kind in TRANSIENT and calls.is_in_worker and not str(calls.failed).startswith("RELEASE"):
        assert summary, f"the run goes on: {calls.failed}"
        assert summary.failed == night_of_views.FAILING_ROW_COUNT, f"and so does the view: {calls.failed}"
    return summary, calls


@pytest.mark.usefixtures("night")
@pytest.mark.parametrize("kind", FailureKind, ids=lambda kind: kind.name)
def test_no_call_that_fails_leaves_a_row_open_lost_or_false(
    kind: FailureKind, capsys: pytest.CaptureFixture[str]
) -> None:
    _, fine = fail()
    calls, often = fine.count(), INJECTIONS // len(FailureKind)
    chance = random.Random(kind)  # noqa: S311  # calls, not secrets
    endings = [fail(kind, k) for k in chance.sample(range(1, calls + 1), min(often, calls))]
    failed = {each.failed for _, each in endings}
    if often >= calls:  # every call has failed; threads differ each time, so see to every place too
        endings += [fail(kind, 1, site) for site in sorted(fine.sites.keys() - failed)]
        failed = {each.failed for _, each in endings}
        told = f"{len(endings)} calls failed, from {len(failed - {None})} of {len(fine.sites)} places, and "
        told += f"{sum(summary is None for summary, _ in endings)} of the runs ended early: {kind}"
        with capsys.disabled():
            sys.stdout.write(f"\n{told}\n")
    assert len(failed) > len(endings) // 5, "the failures are spread"
    # Threads differ, so that a run may have fewer calls than the one that was counted.
    assert sum(each.failed is None for _, each in endings) <= len(endings) // 2, "and happen"
    assert orchestrator.execute_run(AgencyReports(slug="metro")).failed == 0, "and the next run is as any other"


@pytest.mark.usefixtures("night")
def test_no_commit_whose_answer_is_lost_is_done_again() -> None:
    _, fine = fail()
    for k in range(1, fine.count("commit") + 1):
        fail(FailureKind.ANSWER_LOST, k, "commit")
