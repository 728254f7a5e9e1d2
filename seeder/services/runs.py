"""The composition root: what a door calls to have views refreshed."""

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta

from django.db import DEFAULT_DB_ALIAS, Error

from seeder import conf
from seeder.domain.events import Noticed, RunEnded, RunEvent, RunStarted
from seeder.domain.outcomes import RefreshResult, RunSummary, Turn
from seeder.domain.plan import PlannedView, RefreshPlan
from seeder.domain.requests import RefreshRequest
from seeder.postgres import sessions
from seeder.postgres.sqlstates import foreseen
from seeder.services import journal, manifests, planning, preconditions, recovery
from seeder.services.admission import Gate
from seeder.services.breakers import Breakers
from seeder.services.history import RunRecord
from seeder.services.lanes import Pace, Work
from seeder.services.life import Life
from seeder.services.meter import Meter
from seeder.services.refresh import Refresher
from seeder.services.retrying import patiently
from seeder.services.runner import run
from seeder.services.stopping import Stop


def preview(request: RefreshRequest) -> RefreshPlan:
    """The plan for a request as it would be run now. Changes nothing.

    Raises `RequestError`, `ConfigurationError` or `DatabaseError`.
    """
    return planning.plan(manifests.select(request, databases=conf.load().databases))


def execute(
    request: RefreshRequest, *, emit: Callable[[RunEvent], object] = lambda _: None, stop: Stop | None = None
) -> RunSummary:
    """Plan a request and run it. Failed views are in the summary, not raised; `emit` hears what happens, when its row
    is written, in the thread of the caller. When `stop` is requested, the run cancels what is in flight and ends.

    Raises `RequestError`, `ConfigurationError` or `DatabaseError`.
    """
    settings, stop = conf.load(), stop or Stop()
    with foreseen(DEFAULT_DB_ALIAS):
        preconditions.insist(settings)
        asked = sessions.clock(DEFAULT_DB_ALIAS)
    plan = planning.plan(manifests.select(request, databases=settings.databases))
    record = RunRecord(_run_id())
    emit = journal.keeping(record.run_id, emit)
    with foreseen(DEFAULT_DB_ALIAS):
        recovery.recover()
        with Life(record.run_id) as life:
            record.open(plan)
            with _closing(record):
                emit(RunStarted(run_id=record.run_id, plan=plan, seats=settings.max_workers))
                for notice in (*plan.notices, *preconditions.missed(settings, plan.by_database)):
                    emit(Noticed(message=notice))
                meter = Meter(plan.by_database)
                refresher = Refresher(record=record, settings=settings, stop=stop, asked=asked, meter=meter)
                work = _work(refresher, life, emit)
                results = run(plan, pace=_pace(settings), work=work, stop=stop)
                meter.close()
                took = patiently(lambda _: _close(record, stop) - asked, retries=settings.max_retries, stop=Stop())
    summary = RunSummary(
        run_id=record.run_id,
        results=results,
        unfinished=tuple(view for view in plan.views if view not in results),
        stopped=stop.reason,
        complaints=plan.complaints,
        took=took,
    )
    emit(RunEnded(summary=summary))
    return summary


def _work(refresher: Refresher, life: Life, emit: Callable[[RunEvent], object]) -> Work:
    gate = Gate(settings=refresher.settings, breakers=Breakers.of(refresher.settings))
    record, meter = refresher.record, refresher.meter

    def count(view: PlannedView, result: RefreshResult, turn: Turn) -> None:
        gate.count(view, result, turn)
        meter.ended(view, record.ids(view.spec), result)

    def beat() -> None:
        life.beat()
        meter.beat()

    return Work(
        refresh=refresher.refresh,
        refuse=refresher.refuse,
        admit=gate.admit,
        count=count,
        cancel=refresher.in_flight.cancel,
        beat=beat,
        leave=sessions.leave,
        emit=emit,
    )


def _pace(settings: conf.Settings) -> Pace:
    return Pace(
        seats=settings.max_workers,
        batch=settings.batch_size,
        delay=timedelta(milliseconds=settings.start_delay_ms),
        patience=timedelta(seconds=settings.max_wait_seconds),
    )


def _close(record: RunRecord, stop: Stop) -> datetime:
    if stop.requested:
        record.interrupted(str(stop.reason))
    return sessions.clock(DEFAULT_DB_ALIAS)


@contextmanager
def _closing(record: RunRecord) -> Iterator[None]:
    """Whatever goes wrong inside, no row is left open, as far as the database still answers."""
    try:
        yield
    except BaseException as surprise:
        with suppress(Error):  # the surprise may be that it does not; it says more than the next error would
            sessions.mend(DEFAULT_DB_ALIAS)
            record.interrupted(f"{type(surprise).__name__} {surprise}".strip())
        raise


def _run_id() -> str:
    """Sorts by the time of its start for a person, and is unique by chance; nothing is decided by it."""
    return f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(4)}"
