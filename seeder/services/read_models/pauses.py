"""Why no refresh starts in a database now: an open circuit breaker, or the throttle of a living run."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import cast

from django.db import DEFAULT_DB_ALIAS
from django.utils import timezone

from seeder import conf
from seeder.domain.admission_types import HoldReason
from seeder.domain.view_names import ViewName
from seeder.models import Run
from seeder.postgres import monitoring_queries
from seeder.postgres.contract import OptionalTables
from seeder.services.read_models import listed_views, run_timeline
from seeder.services.run import open_breakers
from seeder.services.run.run_liveness_lock import living_runs
from seeder.texts import Text

_MAX_REASONS = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class NextRun:
    """The run of the next trial, as far as it is known."""

    starts_at: datetime | None = None  # None if unknown, or if it waits already
    plan_run_id: str | None = None  # the run whose rows are in the order of its plan: itself, or its predecessor
    is_open: bool = False  # it waits already


@dataclass(frozen=True, kw_only=True, slots=True)
class Pause:
    """An interval in which no refresh starts in a database."""

    database: str
    reason: HoldReason
    since: datetime
    failures: int = 0  # in a row, that opened the circuit breaker
    limit: int | None = None  # of failures in a row; None if the settings have changed since
    causes: Mapping[str, str] = field(default_factory=dict)  # reasons by failed view; empty if hidden or unknown
    next_trial_at: datetime | None = None  # None of the throttle
    next_run_at: datetime | None = None  # None if unknown, or if a run waits
    expected_trial: str | None = None  # the view that the next run is expected to try; None if hidden or unknown

    @property
    def reasons(self) -> Mapping[str, str]:
        """A failed view of each reason, of a few reasons."""
        found = {reason: view for view, reason in self.causes.items()}
        return dict([*found.items()][:_MAX_REASONS])

    @property
    def failed_view(self) -> str | None:
        """The failed view, if it is the only one."""
        return next(iter(self.causes)) if len(self.causes) == 1 else None

    def effect_text(self, now: datetime) -> Text:
        """Return what happens to a refresh that is requested now."""
        if self.next_trial_at is None:
            return Text("Refreshes are paused by the throttle. This one waits until fewer queries are active.")
        if self.next_trial_at <= now:
            return Text(
                "Refreshes are paused by the circuit breaker. One view is tried now; if it succeeds, all others follow."
            )
        return Text(
            "Refreshes are paused by the circuit breaker. One view is tried at {at:%H:%M:%S}; if it succeeds, all"
            " others follow.",
            at=timezone.localtime(self.next_trial_at),
        )

    @property
    def next_attempt_at(self) -> datetime | None:
        """When one view is tried, if a run starts by then. None of the throttle."""
        return max((at for at in (self.next_trial_at, self.next_run_at) if at is not None), default=None)


def read_pauses(
    agencies: list[str] | None, tables: OptionalTables, *, can_see_causes: bool, next_run: NextRun | None = None
) -> Sequence[Pause]:
    """Return the open circuit breakers, and the throttles of these agencies' runs (None: all), one of each database.

    Raises `ConfigurationError` or `DatabaseError`.
    """
    breakers = _open_breakers(tables, can_see_causes=can_see_causes, next_run=next_run or NextRun())
    return [*breakers, *_throttles(agencies, tables)]


def effect_on_refresh(table_name: str | None, agencies: list[str] | None) -> Text | None:
    """Return what a pause does to a refresh of a view (None: of any) that is requested now, or None without a pause.

    Raises as `read_pauses` does.
    """
    tables = OptionalTables.read(DEFAULT_DB_ALIAS, read_only=True)
    pauses = read_pauses(agencies, tables, can_see_causes=False)
    aliases = conf.load().databases
    if pauses and table_name is not None and {*aliases.values()} - {DEFAULT_DB_ALIAS}:
        name = ViewName.parse_or_none(table_name)
        databases = {view.key.database for view in listed_views.named_views(aliases, {name} if name else set())}
        pauses = [one for one in pauses if one.database in databases]
    return pauses[0].effect_text(timezone.now()) if pauses else None


def _open_breakers(tables: OptionalTables, *, can_see_causes: bool, next_run: NextRun) -> Iterator[Pause]:
    settings = conf.load()
    reset_after = timedelta(seconds=settings.reset_seconds)
    for database, state in open_breakers.open_states(tables).items():
        yield Pause(
            database=database,
            reason=HoldReason.CIRCUIT_OPEN,
            since=cast("datetime", state.opened_at),
            failures=state.failures,
            limit=settings.max_failures if state.failures >= settings.max_failures else None,
            causes=state.causes if can_see_causes else {},
            next_trial_at=state.next_trial_at(reset_after),
            next_run_at=next_run.starts_at,
            expected_trial=_expected_trial(database, next_run, settings) if can_see_causes else None,
        )


def _expected_trial(database: str, next_run: NextRun, settings: conf.Settings) -> str | None:
    """Return the view that the next run is expected to try, by the order in which its plan was stored."""
    if next_run.plan_run_id is None:
        return None
    others = [number for number, alias in settings.databases.items() if alias != database]
    own = None if database == DEFAULT_DB_ALIAS else [*settings.databases.keys() - others]
    return monitoring_queries.expected_trial(
        next_run.plan_run_id, database_ids=own, other_database_ids=others, is_open=next_run.is_open
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
