"""Refreshes the members of a group, inside its transaction."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from time import monotonic

from django.db import DEFAULT_DB_ALIAS, Error

from seeder.domain.data_checks.results import CheckResult
from seeder.domain.manifests import ViewKey
from seeder.domain.mode_predictor import RefreshMode
from seeder.domain.outcomes import Outcome, RefreshResult
from seeder.domain.plan import PlannedGroup, PlannedView
from seeder.domain.refresh_costs import RefreshCost
from seeder.domain.view_names import ViewName
from seeder.postgres import group_transaction, sessions, transactions, view_state_queries, view_statements
from seeder.postgres.group_queries import MemberState, is_replaced
from seeder.postgres.named_statements import STATEMENTS
from seeder.postgres.row_counts import ViewBeforeRefresh
from seeder.postgres.sqlstates import UNDEFINED_TABLE, sqlstate
from seeder.services.data_checks.run_data_checks import ViewHeld
from seeder.services.groups.group_facts import GroupFacts, read_group_facts
from seeder.services.run import cost_meter, create_or_refresh
from seeder.services.run.view_refresh import ViewRefresher

_DATABASE = DEFAULT_DB_ALIAS  # groups of other databases are refused


LeftOut = dict[PlannedView, tuple[CheckResult, ...]]  # with the data checks that held it; none if it reads a held view


class LostRace(Exception):
    """Another session changed members or their inputs meanwhile, so the transaction must be repeated."""

    def __init__(self, names: tuple[ViewName, ...]) -> None:
        super().__init__()
        self.names = names


class TimeLimitExceeded(Exception):
    """The group has used up its time limit, for these members."""

    def __init__(self, durations: Mapping[PlannedView, timedelta]) -> None:
        super().__init__()
        self.durations = durations  # so far; the last one has not ended


@dataclass(kw_only=True)
class MemberRefreshes:
    """One attempt to refresh all members of a group."""

    refresher: ViewRefresher
    group: PlannedGroup
    facts: GroupFacts  # read before the transaction
    limits: Mapping[str, object]  # of the transaction
    before_member: Callable[[PlannedView], object]  # called before each refresh
    held: frozenset[ViewKey] = frozenset()  # views of other units whose dependents are not refreshed
    results: dict[PlannedView, RefreshResult] = field(default_factory=dict)
    left_out: LeftOut = field(default_factory=dict)  # members that keep their rows while the others are published
    befores: dict[PlannedView, ViewBeforeRefresh] = field(default_factory=dict)
    lock_wait: timedelta = timedelta()
    taken_at: datetime | None = None  # before the snapshot, after the locks
    _snapshot: str = ""
    _blocks_readers: bool = False  # a member was refreshed plainly
    _begun: float = field(default_factory=monotonic)
    _member_begun: dict[PlannedView, float] = field(default_factory=dict)

    def run(self) -> None:
        """Lock the inputs, take the snapshot, and refresh each member.

        Raises `LostRace`, `TimeLimitExceeded`, `ViewHeld` if data checks hold the group, and database errors.
        """
        self._lock_inputs()
        self.taken_at, self._snapshot = group_transaction.take_snapshot(_DATABASE)
        sessions.query(_DATABASE, STATEMENTS["apply_limits"], self.limits)
        seen = read_group_facts(_DATABASE, [view.spec for view in self.group.views])
        if seen.states != self.facts.states or not seen.tables.keys() <= self.facts.tables.keys():
            raise LostRace(self._names)
        for view in self.group.views:
            refresh = partial(self._refresh, view, seen.states.get(view.key.name), self.taken_at)
            self._refresh_or_leave_out(view, refresh)
        self.require_time()

    def require_time(self) -> None:
        """Raise `TimeLimitExceeded` if no time is left."""
        if (left := self._time_left) is not None and left <= timedelta():
            ends = [*self._member_begun.values(), monotonic()][1:]
            begun = self._member_begun.items()
            durations = {view: timedelta(seconds=end - start) for (view, start), end in zip(begun, ends, strict=True)}
            raise TimeLimitExceeded(durations)

    @property
    def _time_left(self) -> timedelta | None:
        limit = self.group.options.max_duration
        return None if limit is None else limit - timedelta(seconds=monotonic() - self._begun)

    def _limit_statements(self) -> None:
        """Let no statement of the next member run longer than the group may.

        `transaction_timeout` of PostgreSQL 17 would end the session, as if it were lost.
        """
        self.require_time()
        if (left := self._time_left) is not None:
            left_ms = max(1, left // timedelta(milliseconds=1))
            usual = self.refresher.settings.statement_timeout_ms
            timeout = min(usual, left_ms) if usual else left_ms
            sessions.query(_DATABASE, STATEMENTS["limit_statements"], {"timeout": timeout})

    @property
    def _names(self) -> tuple[ViewName, ...]:
        return tuple(view.key.name for view in self.group.views)

    def _lock_inputs(self) -> None:
        """Lock all tables that the members read. `input_locks.sql` explains why."""
        max_wait = timedelta(milliseconds=self.refresher.settings.lock_timeout_ms)
        tables = [table.name for table in self.facts.tables.values()]
        try:
            self.lock_wait = group_transaction.lock_tables(_DATABASE, tables, max_wait=max_wait)
        except Error as error:
            if sqlstate(error) == UNDEFINED_TABLE:
                raise LostRace(self._names) from error
            raise

    def _refresh_or_leave_out(self, view: PlannedView, refresh: Callable[[], RefreshResult]) -> None:
        """Refresh a member. If the group may be published without it, a held one keeps its rows, as do its dependents.

        A dependent would mix the old rows of the held member with new rows of others.
        """
        if view.depends_on & (self.held | {one.key for one in self.left_out}):
            self.left_out[view] = ()
            return
        self.before_member(view)
        self._member_begun[view] = monotonic()
        self._limit_statements()
        if not self.group.options.publish_without_held:
            self.results[view] = refresh()
            return
        try:
            with group_transaction.member_savepoint(_DATABASE):
                self.results[view] = refresh()
        except ViewHeld as held:
            self.left_out[view] = held.checks

    def _refresh(self, view: PlannedView, state: MemberState | None, taken_at: datetime) -> RefreshResult:
        """Create or refresh one member, and check it."""
        refresher = self.refresher
        self.befores[view] = before = self._state_before(view)
        data = refresher.as_of.before_refresh(view, self.facts.inputs[view.key.name], taken_at)
        with refresher.meter.measure(view) as measurement:
            result = RefreshResult(
                outcome=Outcome.REFRESHED, started_at=taken_at, finished_at=taken_at, snapshot=self._snapshot, data=data
            )
            copied = refresher.sampling.before_refresh(view, before)
            result = self._write(view, state, result)
            cpu_time, peak_memory = measurement.process_cost()
        if state is not None and is_replaced(_DATABASE, state):
            raise LostRace((view.key.name,))
        result = replace(result, cost=RefreshCost(cpu_time=cpu_time, peak_memory_bytes=peak_memory))
        result, rows = refresher.data_checks.check(view, result)
        result = refresher.sampling.after_refresh(view, copied, result)
        result = cost_meter.with_counted_rows(result, view.key, before, known=rows)
        if data is not None:  # the next members may read this one
            parameters = view_state_queries.record_parameters(view.key, data)
            sessions.query(_DATABASE, view_state_queries.RECORD_VIEW_STATE, parameters)
        return result

    def _state_before(self, view: PlannedView) -> ViewBeforeRefresh:
        name = view.key.name
        parameters = {"schema": name.schema, "name": name.name}
        [state] = sessions.query(_DATABASE, STATEMENTS["view_before_refresh"], parameters)
        return ViewBeforeRefresh.of(state)

    def _write(self, view: PlannedView, state: MemberState | None, result: RefreshResult) -> RefreshResult:
        if state is None:
            create_or_refresh.create_view(view)
            return replace(result, outcome=Outcome.CREATED)
        if state.is_filled and state.has_unique_index:
            sessions.query(_DATABASE, view_statements.refresh_materialized_view(view.key.name, concurrently=True))
            reason = f"Concurrent, in one transaction with the consistent group {self.group.name}."
            return replace(result, mode=RefreshMode.CONCURRENT, mode_reason=reason)
        self._refresh_plainly(view)
        return replace(result, mode=RefreshMode.PLAIN, fell_back=True)

    def _refresh_plainly(self, view: PlannedView) -> None:
        """Refresh a member while its readers wait.

        Only the first such member waits for its readers. Its own wait from then on: if one of them reads another such
        member, it and the group would wait for each other, and PostgreSQL would end one of them.
        """
        usual = self.refresher.settings.lock_timeout_ms
        short = min(group_transaction.SHORT_LOCK_TIMEOUT_MS, usual)
        transactions.query_in_savepoint(
            _DATABASE,
            view_statements.set_lock_timeout(short if self._blocks_readers else usual),
            view_statements.refresh_materialized_view(view.key.name),
            view_statements.set_lock_timeout(usual),
        )
        self._blocks_readers = True
