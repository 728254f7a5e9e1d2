"""The composition root: what a door calls to have views refreshed."""

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import monotonic

from django.db import DEFAULT_DB_ALIAS, Error

from seeder import conf
from seeder.domain.admission_decisions import Hold
from seeder.domain.outcomes import RefreshResult, RunSummary, StartContext
from seeder.domain.plan import PlannedView, RefreshPlan
from seeder.domain.refresh_costs import RefreshCost
from seeder.domain.refresh_requests import RefreshRequest
from seeder.domain.run_events import RunEnded, RunEvent, RunStarted, RunWarning, WarningKind
from seeder.postgres import sessions
from seeder.postgres.sqlstates import translate_database_errors
from seeder.services import journal, manifests, planning, preconditions, recovery
from seeder.services.admission import Gate
from seeder.services.breakers import Breakers
from seeder.services.history import RunRecord
from seeder.services.lanes import Pace, Work
from seeder.services.life import Life
from seeder.services.log import ERROR, tell
from seeder.services.marking import Marking
from seeder.services.meter import Meter
from seeder.services.refresh import Refresher
from seeder.services.retrying import patiently
from seeder.services.run_rows import RunRow
from seeder.services.runner import run
from seeder.services.stopping import Stop


def preview(request: RefreshRequest) -> RefreshPlan:
    """The plan for a request as it would be run now. Changes nothing.

    Raises `RequestError`, `ConfigurationError` or `DatabaseError`.
    """
    return planning.plan(manifests.select(request, databases=conf.load().databases))


def execute(
    request: RefreshRequest,
    *,
    emit: Callable[[RunEvent], object] = lambda _: None,
    stop: Stop | None = None,
    requested_by: str = "",
) -> RunSummary:
    """Plan a request and run it. Failed views are in the summary, not raised; `emit` hears what happens, when its row
    is written, in the thread of the caller. When `stop` is requested, the run cancels what is in flight and ends.

    Raises `RequestError`, `ConfigurationError` or `DatabaseError`.
    """
    with translate_database_errors(DEFAULT_DB_ALIAS):
        preconditions.insist(conf.load())
        asked = sessions.server_time(DEFAULT_DB_ALIAS)
        with Life(new_id()) as life:
            return carry_out(
                request, life, Order(requested_at=asked, requested_by=requested_by), emit=emit, stop=stop or Stop()
            )


@dataclass(frozen=True, kw_only=True, slots=True)
class Order:
    """Who wants a run, and since when."""

    requested_at: datetime  # by the database's clock; a refresh of another run that began after it will do as well
    requested_by: str


def carry_out(
    request: RefreshRequest, life: Life, order: Order, *, emit: Callable[[RunEvent], object], stop: Stop
) -> RunSummary:
    """As `execute`, for whoever already holds the lock that shows that the run is alive."""
    settings, began = conf.load(), sessions.server_time(DEFAULT_DB_ALIAS)
    plan = planning.plan(manifests.select(request, databases=settings.databases), remember=True)
    record, row = RunRecord(life.run_id), RunRow(life.run_id)
    emit = journal.keeping(record.run_id, emit)
    with translate_database_errors(DEFAULT_DB_ALIAS):
        recovery.recover()
        life.insist()
        record.open(plan)
        with _closing(record, row):
            row.open(plan, description=request.description, requested_by=order.requested_by, seats=settings.max_workers)
            emit(RunStarted(run_id=record.run_id, plan=plan, workers=settings.max_workers))
            for message in plan.warnings:
                emit(RunWarning(kind=WarningKind.DEPENDENCIES_UNKNOWN, message=message))
            for message in preconditions.missed(settings, plan.by_database):
                emit(RunWarning(kind=WarningKind.FEATURE_UNAVAILABLE, message=message))
            meter = Meter(plan.by_database)
            refresher = Refresher(record=record, settings=settings, stop=stop, asked=order.requested_at, meter=meter)
            work = _work(refresher, life, row, emit)
            results = run(plan, pace=_pace(settings), work=work, stop=stop)
            meter.close()
            ended = patiently(lambda _: _close(record, row, stop), retries=settings.max_retries, stop=Stop())
    summary = RunSummary(
        run_id=record.run_id,
        results=results,
        interrupted=tuple(view for view in plan.views if view not in results),
        stopped_by=stop.reason,
        rejected=plan.rejected,
        duration=ended - began,  # without the time in which a queued part waited for a worker
    )
    emit(RunEnded(summary=summary))
    return summary


def _work(refresher: Refresher, life: Life, row: RunRow, emit: Callable[[RunEvent], object]) -> Work:
    gate = Gate(settings=refresher.settings, breakers=Breakers.of(refresher.settings))
    record, meter, marking = refresher.record, refresher.meter, Marking(refresher.record, monotonic)

    def count(view: PlannedView, result: RefreshResult, turn: StartContext) -> None:
        gate.count(view, result, turn)
        meter.ended(view, record.ids(view.spec), result)

    def refuse(view: PlannedView, hold: Hold, cost: RefreshCost) -> RefreshResult:
        result = refresher.refuse(view, hold, cost)
        meter.ended(view, record.ids(view.spec), result)
        return result

    def hear(event: RunEvent) -> None:
        marking.hear(event)
        row.hear(event)
        emit(event)

    def beat() -> None:
        life.beat()
        marking.beat()
        meter.beat()

    return Work(
        refresh=refresher.refresh,
        refuse=refuse,
        admit=gate.admit,
        count=count,
        cancel=refresher.in_flight.cancel_all,
        beat=beat,
        leave=sessions.close_thread_connections,
        emit=hear,
    )


def _pace(settings: conf.Settings) -> Pace:
    return Pace(
        seats=settings.max_workers,
        batch=settings.batch_size,
        delay=timedelta(milliseconds=settings.start_delay_ms),
        patience=timedelta(seconds=settings.max_wait_seconds),
    )


def _close(record: RunRecord, row: RunRow, stop: Stop) -> datetime:
    if stop.requested:
        record.interrupted(str(stop.reason))
    row.close(stop.reason)
    return sessions.server_time(DEFAULT_DB_ALIAS)


@contextmanager
def _closing(record: RunRecord, row: RunRow) -> Iterator[None]:
    """Whatever goes wrong inside, no row is left open, as far as the database still answers."""
    try:
        with translate_database_errors(DEFAULT_DB_ALIAS):  # so that log and rows name it as the command does
            yield
    except BaseException as surprise:
        tell(ERROR, "run_broken", run_id=record.run_id, reason=type(surprise).__name__)
        with suppress(Error):  # the surprise may be that it does not; it says more than the next error would
            sessions.discard_if_broken(DEFAULT_DB_ALIAS)
            why = f"{type(surprise).__name__} {surprise}".strip()
            record.interrupted(why)
            row.close(why)
        raise


def new_id() -> str:
    """Sorts by the time of its start for a person, and is unique by chance; nothing is decided by it."""
    return f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(4)}"
