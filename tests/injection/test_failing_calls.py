"""One database call of a run fails, each in turn and in each of many ways. No row lies about it afterwards.

SEEDER_INJECTIONS says how many; `make soak` lets every call fail in every way.
"""

import os
import random
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta

import pytest
from pytest_django import Settings

from seeder.domain import backoff
from seeder.domain.outcomes import RunSummary
from seeder.domain.requests import Everything, OneAgency
from seeder.errors import SeederError
from seeder.models import RunHistory
from seeder.postgres import sessions
from seeder.services import life, recovery, runs
from tests.conftest import sql
from tests.injection import scene
from tests.injection.calls import RUN, Calls, counted
from tests.injection.failures import Kind

INJECTIONS = int(os.environ.get("SEEDER_INJECTIONS", "78"))
STUCK = 60  # seconds
HELD = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()"


@pytest.fixture
def night(reporting: None, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that is tried out already, waits for nothing between two attempts and shows at every turn that it lives."""
    settings.SEEDER = scene.SEEDER
    monkeypatch.setattr(backoff, "delay", lambda *_, **__: timedelta())
    monkeypatch.setattr(life, "_BEAT", timedelta())
    scene.set_up()
    runs.execute(Everything())
    scene.after_the_first_run()


def run(kind: Kind | None, k: int) -> tuple[RunSummary | None, Calls]:
    """A run as of a process of its own: its connections end with it. Only an error that is foreseen may end it."""
    summary = None
    try:
        with counted(kind, k) as calls, suppress(SeederError):
            summary = runs.execute(Everything())
        sessions.mend("default")
        assert sql(HELD) == [(0,)], "a run that has ended holds no lock"
    finally:
        sessions.leave()
    return summary, calls


def fail(kind: Kind | None = None, k: int = 0) -> Calls:
    """A run with a failing call, from a night as it was before to a night after which everything is true."""
    RunHistory.objects.all().delete()
    sql(f"DROP MATERIALIZED VIEW IF EXISTS {scene.NEW}")
    before = scene.look()
    sessions.leave()
    with ThreadPoolExecutor(1, thread_name_prefix=RUN) as thread:
        summary, calls = thread.submit(run, kind, k).result(STUCK)
    recovery.recover()
    scene.check(before, summary=summary)
    scene.check_the_server()
    return calls


@pytest.mark.usefixtures("night")
@pytest.mark.parametrize("kind", Kind, ids=lambda kind: kind.name)
def test_no_call_that_fails_leaves_a_row_open_lost_or_false(kind: Kind) -> None:
    sites = fail().sites
    ks, often = list(range(1, sites.total() + 1)), INJECTIONS // len(Kind)
    random.Random(kind).shuffle(ks)  # noqa: S311  # calls, not secrets
    for k in (ks * (1 + often // len(ks)))[:often]:
        fail(kind, k)
    assert runs.execute(OneAgency(slug="metro")).failed == 0, "and the next run is as any other"
