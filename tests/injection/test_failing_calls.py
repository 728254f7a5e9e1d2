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
from seeder.domain.requests import Everything, OneAgency
from seeder.errors import SeederError
from seeder.models import RunHistory
from seeder.postgres import sessions
from seeder.services import life, marking, meter, recovery, runs
from tests.conftest import sql
from tests.injection import scene
from tests.injection.calls import RUN, Calls, counted
from tests.injection.failures import ANSWERED, PASSING, Kind

pytestmark = [pytest.mark.slow, pytest.mark.versions]

INJECTIONS = int(os.environ.get("SEEDER_INJECTIONS", "39"))
STUCK = 60  # seconds
HELD = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()"


@pytest.fixture
def night(reporting: None, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that is tried out already, waits for nothing between two attempts and shows at every turn that it lives."""
    settings.SEEDER = scene.SEEDER
    monkeypatch.setattr(backoff, "delay", lambda *_, **__: timedelta())
    monkeypatch.setattr(life, "_BEAT", timedelta())
    # However short it is, each refresh is measured, and marked as running if anybody has the time.
    monkeypatch.setattr(meter, "_WORTH", timedelta())
    monkeypatch.setattr(marking, "_MOMENT", timedelta())
    scene.set_up()
    runs.execute(Everything())
    scene.after_the_first_run()


def run(kind: Kind | None, k: int, among: str) -> tuple[RunSummary | None, Calls]:
    """A run as of a process of its own: its connections end with it. Only an error that is foreseen may end it."""
    summary = None
    try:
        with counted(kind, k, among) as calls, suppress(SeederError):
            summary = runs.execute(Everything())
        if not connection.is_usable():  # it may have been cut without anybody noticing yet
            connection.close()
        assert sql(HELD) == [(0,)], "a run that has ended holds no lock"
    finally:
        sessions.leave()
    return summary, calls


def fail(kind: Kind | None = None, k: int = 0, among: str = "") -> tuple[RunSummary | None, Calls]:
    """A run with a failing call, from a night as it was before to a night after which everything is true."""
    RunHistory.objects.all().delete()
    sql(f"DROP MATERIALIZED VIEW IF EXISTS {scene.NEW}")
    before = scene.look()
    sessions.leave()
    with ThreadPoolExecutor(1, thread_name_prefix=RUN) as thread:
        summary, calls = thread.submit(run, kind, k, among).result(STUCK)
    if kind in ANSWERED and calls.failed:
        scene.check_nothing_is_open()
    recovery.recover()
    scene.check(before, summary=summary)
    scene.check_the_server()
    # Django hides that a savepoint could not be released, and what it says afterwards is not tried again.
    if kind in PASSING and calls.in_a_seat and not str(calls.failed).startswith("RELEASE"):
        assert summary, f"the run goes on: {calls.failed}"
        assert summary.failed == scene.FAILING, f"and so does the view: {calls.failed}"
    return summary, calls


@pytest.mark.usefixtures("night")
@pytest.mark.parametrize("kind", Kind, ids=lambda kind: kind.name)
def test_no_call_that_fails_leaves_a_row_open_lost_or_false(kind: Kind, capsys: pytest.CaptureFixture[str]) -> None:
    _, fine = fail()
    calls, often = fine.number(), INJECTIONS // len(Kind)
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
    assert runs.execute(OneAgency(slug="metro")).failed == 0, "and the next run is as any other"


@pytest.mark.usefixtures("night")
def test_no_commit_whose_answer_is_lost_is_done_again() -> None:
    _, fine = fail()
    for k in range(1, fine.number("commit") + 1):
        fail(Kind.LOST, k, "commit")
