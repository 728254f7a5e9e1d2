"""Why no refresh starts in a database now: an open circuit breaker, or the throttle of a living run."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

from seeder import conf
from seeder.domain.admission_types import HoldReason
from seeder.models import Run
from seeder.postgres.contract import OptionalTables
from seeder.services.read_models import run_timeline
from seeder.services.run import open_breakers
from seeder.services.run.run_liveness_lock import living_runs


@dataclass(frozen=True, kw_only=True, slots=True)
class Pause:
    """An interval in which no refresh starts in a database."""

    database: str
    reason: HoldReason
    since: datetime
    failures: int = 0  # in a row, that opened the circuit breaker
    limit: int | None = None  # of failures in a row; None if the settings have changed since
    causes: str = ""  # the views that failed, with their reasons; empty if hidden or unknown
    next_trial_at: datetime | None = None  # None of the throttle
    next_run_at: datetime | None = None  # None if unknown, or if a run waits

    @property
    def next_attempt_at(self) -> datetime | None:
        """When one view is tried, if a run starts by then. None of the throttle."""
        return max((at for at in (self.next_trial_at, self.next_run_at) if at is not None), default=None)


def read_pauses(
    agencies: list[str] | None, tables: OptionalTables, *, can_see_causes: bool, next_run_at: datetime | None = None
) -> Sequence[Pause]:
    """Return the open circuit breakers, and the throttles of these agencies' runs (None: all), one of each database.

    Raises `ConfigurationError` or `DatabaseError`.
    """
    breakers = _open_breakers(tables, can_see_causes=can_see_causes, next_run_at=next_run_at)
    return [*breakers, *_throttles(agencies, tables)]


def _open_breakers(tables: OptionalTables, *, can_see_causes: bool, next_run_at: datetime | None) -> Iterator[Pause]:
    settings = conf.load()
    reset_after = timedelta(seconds=settings.reset_seconds)
    for database, state in open_breakers.open_states(tables).items():
        yield Pause(
            database=database,
            reason=HoldReason.CIRCUIT_OPEN,
            since=cast("datetime", state.opened_at),
            failures=state.failures,
            limit=settings.max_failures if state.failures >= settings.max_failures else None,
            causes=state.cause_text() if can_see_causes else "",
            next_trial_at=state.next_trial_at(reset_after),
            next_run_at=next_run_at,
        )


def _throttles(agencies: list[str] | None, tables: OptionalTables) -> Iterator[Pause]:
    if not tables.is_usable("seeder_run"):
        return
    holds = dict(Run.objects.of_agencies(agencies).unfinished().exclude(holds=[]).values_list("run_id", "holds"))
    since: dict[str, datetime] = {}
    for run_id in living_runs(holds):  # a run that was killed has left its holds open
        for hold in map(run_timeline.hold_interval, holds[run_id]):
            if hold.finished_at is None and hold.reason == HoldReason.SERVER_BUSY:
                since[hold.database] = min(since.get(hold.database, hold.started_at), hold.started_at)
    for database, started_at in sorted(since.items()):
        yield Pause(database=database, reason=HoldReason.SERVER_BUSY, since=started_at)
