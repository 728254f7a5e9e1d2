"""The last two nights, for the first line of the monitoring page."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import DEFAULT_DB_ALIAS

from seeder import conf
from seeder.domain.monitoring.nights import (
    NightCounts,
    NightRun,
    Round,
    by_hand_since_night,
    group_runs,
    missing_since,
)
from seeder.postgres import monitoring_queries, sessions
from seeder.postgres.contract import OptionalTables
from seeder.services.queue import schedules
from seeder.services.run.run_liveness_lock import living_runs

_MAX_LATEST_RUNS = 6  # by hand, of which the grid shows those since the last night


@dataclass(frozen=True, kw_only=True, slots=True)
class Night:
    """A night or a run by hand, and how its views ended."""

    round: Round
    counts: NightCounts

    @property
    def sign(self) -> str:
        """The sign and colour of the night: running, error if it did not finish, late if views did not, or success."""
        if self.round.is_running:
            return "running"
        if self.round.interrupted_by:
            return "error"
        return "late" if self.counts.unsuccessful else "success"


@dataclass(frozen=True, kw_only=True, slots=True)
class NightOverview:
    """The last nights, the runs since, and the rounds that the grid can show."""

    nights: Sequence[Night]  # at most two, latest first
    by_hand: Sequence[Night]  # the runs by hand since, latest first
    rounds: Sequence[Round]  # nights and runs by hand, latest first
    missing_since: datetime | None  # since when another night should have started


def read_nights(agencies: list[str] | None, tables: OptionalTables, schedules_due: Sequence[datetime]) -> NightOverview:
    """Return the nights of these agencies (None: all). The table of runs must exist. Takes four statements."""
    now = sessions.server_time(DEFAULT_DB_ALIAS)
    rounds = group_runs(_runs(agencies), now)
    last = [*[one for one in rounds if one.is_night][:2], *by_hand_since_night(rounds)]
    counts = monitoring_queries.night_counts(
        [[run.run_id for run in one.runs] for one in last],
        agencies,
        has_metrics=tables.is_usable("seeder_run_metrics"),
    )
    found = [
        Night(round=one, counts=number if one.is_running else number.of_dead_runs())
        for one, number in zip(last, counts, strict=True)
    ]
    nights = [one for one in found if one.round.is_night]
    by_hand = [one for one in found if not one.round.is_night]
    max_age = timedelta(hours=conf.load().stale_hours)
    missing = missing_since(nights[0].round if nights else None, schedules_due, now, max_age=max_age)
    return NightOverview(nights=nights, by_hand=by_hand, rounds=rounds, missing_since=missing)


def _runs(agencies: list[str] | None) -> list[NightRun]:
    rows = monitoring_queries.night_runs(
        agencies, schedules=schedules.PREFIX, due_views=schedules.DUE_VIEWS, latest=_MAX_LATEST_RUNS
    )
    living = living_runs([row["run_id"] for row in rows if row["finished_at"] is None])
    return [NightRun(**row, is_alive=row["run_id"] in living) for row in rows]
