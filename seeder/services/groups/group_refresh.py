"""Refreshes a group of views in one transaction, so that they become visible together.

`_GroupRefresh._refresh_together` has the steps. The rows of all members commit with it. A member that fails, or that
its data checks hold, rolls back the group: then the rows of all members say so. With `publish_without_held`, held
members and their dependents are left out instead. Their rows are written after the commit, as those of a held view.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import datetime, timedelta
from functools import partial

from django.db import DEFAULT_DB_ALIAS, Error

from seeder.domain import lock_keys
from seeder.domain.consistent_groups import refusals
from seeder.domain.manifests import ViewKey
from seeder.domain.outcomes import RefreshResult, StartContext
from seeder.domain.plan import PlannedGroup, PlannedView
from seeder.domain.view_names import ViewName
from seeder.postgres import group_queries, group_transaction, sessions, transactions, view_statements
from seeder.postgres.sqlstates import (
    QUERY_CANCELED,
    SERIALIZATION_FAILURE,
    first_line,
    is_connection_lost,
    is_transient,
    sqlstate,
)
from seeder.services import manifest_selection
from seeder.services.data_checks.run_data_checks import ViewHeld
from seeder.services.groups import unpublished_groups
from seeder.services.groups.group_facts import GroupFacts, read_group_facts
from seeder.services.groups.group_rows import GroupResults, GroupRows
from seeder.services.groups.member_refresh import LeftOut, LostRace, MemberRefreshes, TimeLimitExceeded
from seeder.services.history_rows import OTHER_REFRESHES, refresh_by_another_run
from seeder.services.run import refresh_limits
from seeder.services.run.view_refresh import RefreshStopped, ViewRefresher
from seeder.services.run.worker_pool import WorkerLost

_DATABASE = DEFAULT_DB_ALIAS  # groups of other databases are refused


class _Refused(Exception):
    """The group cannot be refreshed, for these reasons."""

    def __init__(self, reasons: tuple[str, ...]) -> None:
        super().__init__()
        self.reasons = reasons


class GroupRefresher:
    """Refreshes the units of a plan: views, and groups by their first views."""

    def __init__(self, refresher: ViewRefresher, groups: Sequence[PlannedGroup]) -> None:
        self._refresher, self._groups = refresher, {group.leader: group for group in groups}

    def refresh(self, view: PlannedView, context: StartContext) -> RefreshResult | GroupResults:
        """Refresh a view, or the group whose first view it is. Raises what `ViewRefresher.refresh` does."""
        group = self._groups.get(view)
        if group is None:
            return self._refresher.refresh(view, context)
        return _GroupRefresh(self._refresher, group, context).results()


class _GroupRefresh:
    """The refresh of one group, with its retries."""

    def __init__(self, refresher: ViewRefresher, group: PlannedGroup, context: StartContext) -> None:
        self._refresher, self._group, self._context = refresher, group, context
        self._settings, self._history = refresher.settings, refresher.history
        self._specs = [view.spec for view in group.views]
        self._names = [spec.key.name for spec in self._specs]
        self._rows = GroupRows(refresher, group, context)
        self._attempts = self._lost_races = 0
        self._lost_to = set[ViewName]()  # members that others have changed
        self._lock_wait = timedelta()
        self._current: PlannedView | None = None  # the member that is refreshed
        self._started_at: datetime | None = None  # the latest snapshot; None before the first
        self._uncommitted_results: GroupResults = {}  # see `RunHistoryWriter.has_recorded`
        self._left_out: LeftOut = {}  # members that are not published with the others

    def results(self) -> GroupResults:
        """Return the final results of all members, with their rows written."""
        if self._held_views and not self._group.options.publish_without_held:
            return self._unpublished(unpublished_groups.held_with_dependency(self._group, self._context))
        try:
            return self._with_left_out(self._refresher.retry_transient(self._attempt))
        except _Refused as refused:
            describe = unpublished_groups.refused(self._group, refused.reasons)
        except LostRace as race:
            describe = unpublished_groups.lost_races(self._group, race.names, attempts=self._attempts)
        except TimeLimitExceeded as late:
            describe = unpublished_groups.time_limit_exceeded(self._group, late.durations)
        except ViewHeld as held:
            describe = unpublished_groups.held(self._group, self._current, held.checks)
        except Error as error:
            if self._refresher.stop.requested and sqlstate(error) == QUERY_CANCELED:
                raise RefreshStopped from error
            if committed := self._committed_results():
                return self._with_left_out(committed)
            if self._started_at is None and is_connection_lost(error):
                raise WorkerLost(first_line(error)) from error
            describe = unpublished_groups.failed(self._group, self._current, error)
        return self._unpublished(describe)

    def _attempt(self, _: int) -> GroupResults:
        """Refresh the group, and at once again after a lost race."""
        while True:
            if committed := self._committed_results():
                return committed
            self._attempts += 1
            self._current, self._left_out = None, {}
            try:
                return self._refresh_together()
            except LostRace as race:
                self._lost_races += 1
                self._lost_to.update(race.names)
                if self._lost_races > self._settings.max_retries:
                    raise

    def _committed_results(self) -> GroupResults:
        """Return the kept results if the server has committed them."""
        if not (kept := self._uncommitted_results):
            return {}
        return kept if self._refresher.retry_transient(lambda _: self._rows.has_recorded(kept)) else {}

    # The steps of one attempt

    def _refresh_together(self) -> GroupResults:
        """Lock all members and look. Reuse, or refresh all in one transaction that also records them."""
        with ExitStack() as locks:
            with self._cancellable():
                self._lock_wait += locks.enter_context(self._locked_members())
                reused = self._reuse()
                facts = None if reused else self._look()
            if facts is None:
                self._uncommitted_results = reused
                return self._rows.write(reused)
            self._rows.mark_running()
            return self._refresh_in_one_transaction(facts)

    def _refresh_in_one_transaction(self, facts: GroupFacts) -> GroupResults:
        members = MemberRefreshes(
            refresher=self._refresher,
            group=self._group,
            facts=facts,
            limits=self._limits(),
            before_member=self._begin_member,
            held=self._held_views,
        )
        try:
            with group_transaction.snapshot_transaction(_DATABASE):
                try:
                    with self._cancellable():
                        members.run()
                finally:
                    self._started_at = members.taken_at or self._started_at
                    self._lock_wait += members.lock_wait
                self._current = None
                results = {view: self._complete(view, result) for view, result in members.results.items()}
                self._left_out = members.left_out
                self._uncommitted_results = self._rows.record(results, members.befores)
        except Error as error:
            if sqlstate(error) == QUERY_CANCELED and not self._refresher.stop.requested:
                members.require_time()
            if sqlstate(error) == SERIALIZATION_FAILURE and self._current is not None:
                self._lost_to.add(self._current.key.name)
            # Such as 23505: the group inserts a row that another session's refresh has inserted after the snapshot.
            can_be_race = not is_transient(error) and sqlstate(error) != QUERY_CANCELED
            if can_be_race and (changed := self._changed_members(facts)):
                raise LostRace(changed) from error
            raise
        return self._uncommitted_results

    @contextmanager
    def _cancellable(self) -> Iterator[None]:
        """Let a stop of the run cancel the statements inside. Raises `RefreshStopped` after a stop."""
        with self._refresher.in_flight.track(_DATABASE):
            self._require_no_stop()
            yield

    def _require_no_stop(self) -> None:
        if self._refresher.stop.requested:
            raise RefreshStopped

    def _begin_member(self, view: PlannedView) -> None:
        self._require_no_stop()
        self._current = view

    def _locked_members(self) -> AbstractContextManager[timedelta]:
        """Lock all members with the keys of single refreshes."""
        lock_wait = refresh_limits.lock_wait_ms(self._settings, self._lock_wait)
        keys = map(lock_keys.of_view, self._names)
        return group_transaction.locked_keys(_DATABASE, keys, {**self._limits(), "lock_wait": lock_wait})

    @property
    def _held_views(self) -> frozenset[ViewKey]:
        """The views that members read and that were held in this run, if dependents are held with them."""
        return frozenset(self._context.held_dependencies if self._settings.hold_dependents else ())

    def _limits(self) -> dict[str, object]:
        return dict(refresh_limits.of_transaction(self._settings, self._context, run_id=self._history.run_id))

    def _reuse(self) -> GroupResults:
        """Return the results of another run that has refreshed all members together, or nothing."""
        after = self._context.reusable_after(self._refresher.requested_at)
        is_ours = partial(
            manifest_selection.is_manifest_in_database, database=_DATABASE, databases=self._settings.databases
        )
        reused: dict[PlannedView, RefreshResult] = {}
        for view in self._group.views:
            parameters = self._history.other_refreshes_parameters(view.spec, after=after)
            rows = sessions.query(_DATABASE, OTHER_REFRESHES, parameters)
            if (found := refresh_by_another_run(rows, is_ours=is_ours)) is None:
                return {}
            reused[view] = self._complete(view, found)
        is_together = len({(one.satisfied_by, one.started_at) for one in reused.values()}) == 1
        return reused if is_together else {}

    def _look(self) -> GroupFacts:
        """Read what decides how the members are refreshed. Raises `_Refused`."""
        states = group_queries.member_states(_DATABASE, self._names)
        missing = [view for view in self._group.views if view.key.name not in states]
        facts = self._look_with(missing) if missing else read_group_facts(_DATABASE, self._specs)
        found = refusals(
            facts.of_members(self._specs), allow_blocking=self._group.options.allow_blocking, default_database=_DATABASE
        )
        if reasons := self._group.refusals or tuple(found):
            raise _Refused(reasons)
        return facts

    def _look_with(self, missing: Sequence[PlannedView]) -> GroupFacts:
        """Read the same while plain views stand for the missing members."""

        def create_and_read() -> GroupFacts:
            for view in missing:
                self._current = view
                statement = view_statements.create_plain_view(view.key.name, view.spec.query)
                sessions.execute_single_statement(_DATABASE, statement)
            self._current = None
            return read_group_facts(_DATABASE, self._specs)

        with transactions.BatchedTransaction(_DATABASE) as transaction:
            transaction.begin((), {})
            facts = transactions.attempt_and_roll_back(_DATABASE, create_and_read)
        if isinstance(facts, Error):
            raise facts
        return facts

    def _changed_members(self, facts: GroupFacts) -> tuple[ViewName, ...]:
        """Return the members that another session has changed since the facts were read."""
        now = group_queries.member_states(_DATABASE, self._names)
        return tuple(name for name in self._names if now.get(name) != facts.states.get(name))

    # Results

    def _with_left_out(self, published: GroupResults) -> GroupResults:
        """Return the results of all members, after recording those that were left out."""
        if not self._left_out:
            return published
        describe = unpublished_groups.left_out(self._group, self._left_out, held_before=self._held_views)
        results = {**published, **self._unpublished(describe, self._left_out)}
        return {view: results[view] for view in self._group.views}

    def _unpublished(
        self, describe: unpublished_groups.Describe, views: Iterable[PlannedView] | None = None
    ) -> GroupResults:
        """Return and record the results of members (default: all) that keep their old rows."""
        now = self._refresher.server_time()
        started_at = self._started_at or now
        return self._rows.write(
            {
                view: self._complete(view, describe(view, started_at=started_at, now=now))
                for view in views or self._group.views
            }
        )

    def _complete(self, view: PlannedView, result: RefreshResult) -> RefreshResult:
        return self._rows.complete(
            view, result, lock_wait=self._lock_wait, attempts=self._attempts, lost_to=self._lost_to
        )
