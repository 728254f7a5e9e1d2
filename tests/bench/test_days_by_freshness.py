"""Simulated days in which each view is refreshed just in time."""

import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest

from seeder.domain.freshness.contract import FreshnessContract
from seeder.domain.freshness.deadlines import missed_deadline
from seeder.domain.freshness.due_views import ViewWithContracts, find_due_views
from seeder.domain.freshness.states import ViewFacts
from seeder.domain.manifests import ViewKey
from seeder.domain.outcomes import Status
from tests.unit.domain.freshness.contract_values import due_contract, lag_contract, utc
from tests.unit.domain.plan_values import view_key

VIEWS, WORKERS, DAYS = 60, 4, 4
LOOK, STEP = 120, 10  # seconds
START = utc("2026-03-26 12:00")  # the clocks change on the third day
BERLIN = "Europe/Berlin"


@dataclass(kw_only=True)
class SimulatedView:
    reads: frozenset[ViewKey]
    contracts: list[FreshnessContract]
    usual: timedelta
    as_of: datetime = START
    last_start: datetime = START
    waiting: bool = False
    running: tuple[datetime, datetime] | None = None  # as of, and its end
    refreshes: int = 0
    missed: set[datetime] = field(default_factory=set)


def draw_views(generator: random.Random) -> dict[ViewKey, SimulatedView]:
    """Return views of up to ten minutes; two of three have a contract."""
    contracts = [
        [due_contract("06:30", zone=BERLIN)],
        [due_contract("07:30", zone=BERLIN, days="1-5")],
        [due_contract("02:30", zone=BERLIN)],
        [lag_contract(6)],
        [],
        [],
    ]
    views: dict[ViewKey, SimulatedView] = {}
    for number in range(VIEWS):
        reads = generator.sample(list(views), k=min(number, generator.choice((0, 0, 1, 2))))
        usual = timedelta(minutes=min(10, generator.lognormvariate(0.5, 0.8)))
        views[view_key(f"v{number:02}")] = SimulatedView(
            reads=frozenset(reads), contracts=generator.choice(contracts), usual=usual
        )
    return views


def queue_due_views(views: dict[ViewKey, SimulatedView], now: datetime) -> None:
    known = {
        key: ViewWithContracts(
            reads=view.reads,
            contracts=view.contracts,
            data_as_of=view.as_of,
            facts=ViewFacts(
                status=Status.RUNNING if view.running else Status.SUCCESS,
                last_started_at=view.last_start,
                last_success_at=view.last_start,
                usual_duration=view.usual,
            ),
            is_queued=view.waiting,
        )
        for key, view in views.items()
    }
    for key in find_due_views(known, now=now, workers=WORKERS):
        views[key].waiting = True


def advance(views: dict[ViewKey, SimulatedView], now: datetime, generator: random.Random) -> None:
    """End refreshes, and start those that are queued on free workers."""
    for view in views.values():
        if view.running and view.running[1] <= now:
            view.as_of, view.running = view.running[0], None
            view.refreshes += 1
    busy = sum(view.running is not None for view in views.values())
    for view in views.values():
        is_ready = not any(views[read].waiting or views[read].running for read in view.reads)
        if view.waiting and is_ready and busy < WORKERS:
            as_of = min([now, *(views[read].as_of for read in view.reads)])
            duration = view.usual * generator.lognormvariate(0, 0.15)
            view.waiting, view.last_start, view.running = False, now, (as_of, now + duration)
            busy += 1


@pytest.mark.slow
def test_days_by_freshness_meet_their_contracts() -> None:
    generator = random.Random(3)  # noqa: S311  # a fixed sequence, not used for security
    views = draw_views(generator)
    for seconds in range(0, DAYS * 86_400, STEP):
        now = START + timedelta(seconds=seconds)
        advance(views, now, generator)
        if seconds % LOOK == 0:
            queue_due_views(views, now)
            for view in views.values():
                found = (missed_deadline(contract, view.as_of, now) for contract in view.contracts)
                view.missed |= {missed for missed in found if missed}
    contracted = [view for view in views.values() if view.contracts]
    promised = sum(
        DAYS * 4 if view.contracts[0].target_lag else DAYS for view in contracted
    )  # deadlines in these days, about
    assert sum(len(view.missed) for view in views.values()) <= 0.01 * promised
    assert sum(view.refreshes for view in contracted) <= 2 * promised, "not more often than needed"
