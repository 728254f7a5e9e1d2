"""Each database call of a run fails in many ways. No row is wrong afterwards.

SEEDER_INJECTIONS is the number of failures; `make soak` lets every call fail in every way.
"""

import os
import random
import sys
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta

import pytest
from django.db import connection, connections
from pytest_django import Settings

from seeder.domain import backoff
from seeder.domain.manifests import ViewKey, ViewSpec
from seeder.domain.outcomes import RunSummary
from seeder.domain.refresh_requests import AgencyReports, AllReports
from seeder.errors import SeederError
from seeder.models import RunHistory
from seeder.services import history_rows
from seeder.services.run import (
    cost_meter,
    orchestrator,
    orphan_recovery,
    run_liveness_lock,
    running_view_marker,
)
from tests.conftest import sql
from tests.injection import night_of_views
from tests.injection.database_calls import RUN, DatabaseCalls, counted_calls
from tests.injection.injected_failures import SERVER_SURVIVES, TRANSIENT, FailureKind

pytestmark = [pytest.mark.slow]

INJECTIONS = int(os.environ.get("SEEDER_INJECTIONS", "26"))
MAX_WAIT = 60  # seconds
HELD_LOCKS = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()"


@pytest.fixture(params=["own transactions", "shared transactions"])
def night(
    contract_tables: None, settings: Settings, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    """Refreshed views, without delays between attempts, with constant keepalives."""
    settings.SEEDER = night_of_views.SEEDER
    if request.param == "shared transactions":
        settings.SEEDER = {**night_of_views.SEEDER, "REFRESH_CONCURRENTLY": False}
        monkeypatch.setattr(history_rows, "past_refreshes", small_and_not_failing)
    monkeypatch.setattr(backoff, "delay", lambda *_, **__: timedelta())
    monkeypatch.setattr(run_liveness_lock, "_KEEPALIVE_INTERVAL", timedelta())
    # Each refresh is measured and marked as running, however short it is.
    monkeypatch.setattr(cost_meter, "_MIN_DURATION", timedelta())
    monkeypatch.setattr(running_view_marker, "_MARK_AFTER", timedelta())
    night_of_views.create_manifests()
    orchestrator.execute_run(AllReports())
    night_of_views.change_after_first_run()


def small_and_not_failing(
    specs: Iterable[ViewSpec],
) -> tuple[Mapping[ViewKey, timedelta], Mapping[ViewKey, int]]:
    """Return what a history would say, which `fail` deletes."""
    return {spec.key: timedelta(milliseconds=1) for spec in specs}, {}


def run(kind: FailureKind | None, number: int, site_prefix: str) -> tuple[RunSummary | None, DatabaseCalls]:
    """Execute a run like a separate process, whose connections end with it. Only an expected error may end it."""
    summary = None
    try:
        with counted_calls(kind, number, site_prefix) as calls, suppress(SeederError):
            summary = orchestrator.execute_run(AllReports())
        if not connection.is_usable():  # it may have been cut unnoticed
            connection.close()
        assert sql(HELD_LOCKS) == [(0,)], "a run that has ended holds no lock"
    finally:
        connections.close_all()
    return summary, calls


def fail(
    kind: FailureKind | None = None, number: int = 0, site_prefix: str = ""
) -> tuple[RunSummary | None, DatabaseCalls]:
    """Execute a run with a failing call. Assert a consistent state afterwards."""
    RunHistory.objects.all().delete()
    sql(f"DROP MATERIALIZED VIEW IF EXISTS {night_of_views.MISSING_VIEW}")
    state_before = night_of_views.read_state()
    connections.close_all()
    with ThreadPoolExecutor(1, thread_name_prefix=RUN) as thread:
        summary, calls = thread.submit(run, kind, number, site_prefix).result(MAX_WAIT)
    if kind in SERVER_SURVIVES and calls.failed:
        night_of_views.assert_no_open_rows()
    orphan_recovery.recover_orphaned_runs()
    night_of_views.assert_consistent(state_before, summary=summary)
    night_of_views.assert_no_sessions()
    # Django hides that releasing a savepoint failed, and the error after that is not retried.
    if kind in TRANSIENT and calls.is_in_worker and not str(calls.failed).startswith("RELEASE"):
        assert summary, f"the run continues: {calls.failed}"
        assert summary.failed == night_of_views.FAILING_ROW_COUNT, f"the view is retried: {calls.failed}"
    return summary, calls


@pytest.mark.usefixtures("night")
@pytest.mark.parametrize("kind", FailureKind, ids=lambda kind: kind.name)
def test_failing_call_leaves_no_row_open_missing_or_wrong(
    kind: FailureKind, capsys: pytest.CaptureFixture[str]
) -> None:
    _, without_failure = fail()
    calls, samples = without_failure.count(), INJECTIONS // len(FailureKind) // 2  # of each way of transactions
    generator = random.Random(kind)  # noqa: S311  # not used for security
    runs = [fail(kind, number) for number in generator.sample(range(1, calls + 1), min(samples, calls))]
    failed = {injected.failed for _, injected in runs}
    if samples >= calls:  # every call has failed; threads differ each time, so try every place, too
        runs += [fail(kind, 1, site) for site in sorted(without_failure.sites.keys() - failed)]
        failed = {injected.failed for _, injected in runs}
        text = f"{len(runs)} calls failed, from {len(failed - {None})} of {len(without_failure.sites)} places, and "
        text += f"{sum(summary is None for summary, _ in runs)} of the runs ended early: {kind}"
        with capsys.disabled():
            sys.stdout.write(f"\n{text}\n")
    assert len(failed) > len(runs) // 5, "the failures are in different places"
    # A run may have fewer calls than the one that was counted, because threads differ.
    assert sum(injected.failed is None for _, injected in runs) <= (len(runs) + 1) // 2, "the failures happen"
    assert orchestrator.execute_run(AgencyReports(slug="metro")).failed == 0, "the next run succeeds"


@pytest.mark.usefixtures("night")
def test_commit_with_a_lost_answer_is_not_repeated() -> None:
    _, without_failure = fail()
    for number in range(1, without_failure.count("commit") + 1):
        fail(FailureKind.ANSWER_LOST, number, "commit")
