"""Results of the members of a group that keep their old rows."""

from collections.abc import Mapping, Sequence, Set
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Protocol

from django.db import DEFAULT_DB_ALIAS, Error

from seeder.domain.data_checks.results import CheckResult
from seeder.domain.human_format import format_duration
from seeder.domain.manifests import ViewKey
from seeder.domain.outcomes import Failure, GroupReason, HeldReason, Outcome, RefreshResult, StartContext
from seeder.domain.plan import PlannedGroup, PlannedView
from seeder.domain.view_names import ViewName
from seeder.postgres import server_activity, sessions
from seeder.postgres.sqlstates import LOCK_NOT_AVAILABLE, sqlstate
from seeder.services.run import unpublished_results

_KEPT = "Readers keep the data from before."


class Describe(Protocol):
    """Returns the result of one member."""

    def __call__(self, view: PlannedView, /, *, started_at: datetime, now: datetime) -> RefreshResult: ...


def refused(group: PlannedGroup, reasons: Sequence[str]) -> Describe:
    """Describe the members of a group that cannot be refreshed."""
    first, *others = reasons  # one line tells a command's output the cause
    message = "\n".join((f"The consistent group {group.name} was not refreshed. {_KEPT} {first}", *others))
    return _all_failed(Failure(reason=GroupReason.REFUSED, message=message))


def lost_races(group: PlannedGroup, names: Sequence[ViewName], *, attempts: int) -> Describe:
    """Describe the members of a group of which another session changed some in every attempt."""
    changed = ", ".join(map(str, names))
    message = (
        f"The consistent group {group.name} was not refreshed. {_KEPT} In each of {attempts} attempts, another session"
        f" changed members or tables that they read, at last of {changed}."
    )
    return _all_failed(Failure(reason=GroupReason.LOST_RACE, message=message))


def time_limit_exceeded(group: PlannedGroup, durations: Mapping[PlannedView, timedelta]) -> Describe:
    """Describe the members of a group that was stopped by its time limit."""
    limit = format_duration(group.options.max_duration or timedelta())
    each = ", ".join(f"{view.key.name} {format_duration(duration)}" for view, duration in durations.items())
    message = (
        f"The consistent group {group.name} was not refreshed. {_KEPT} It exceeded its limit of {limit} (max_seconds)"
        f" at member {len(durations)} of {len(group.views)}: {each or 'it waited for the tables that they read'}."
    )
    return _all_failed(Failure(reason=GroupReason.TIME_LIMIT, message=message))


def held_with_dependency(group: PlannedGroup, context: StartContext) -> Describe:
    """Describe the members of a group that was never started because one reads a held view."""
    names = " and ".join(str(key.name) for key in context.held_dependencies)
    message = (
        f"The consistent group {group.name} was not started, because it reads {names}, which data checks held in this"
        f" run. {_KEPT}"
    )
    return _all(Outcome.HELD, Failure(reason=HeldReason.DEPENDENCY, message=message))


def held(group: PlannedGroup, culprit: PlannedView | None, checks: tuple[CheckResult, ...]) -> Describe:
    """Describe the members of a group of which data checks held one."""

    def describe(view: PlannedView, *, started_at: datetime, now: datetime) -> RefreshResult:
        if view is culprit:
            return unpublished_results.held(view, checks, started_at=started_at, now=now)
        message = f"Not published, because data checks held {_name(culprit)}, which is in the same consistent group"
        failure = Failure(reason=HeldReason.GROUP, message=f"{message}, {group.name}. {_KEPT}")
        return RefreshResult(outcome=Outcome.HELD, started_at=started_at, finished_at=now, failure=failure)

    return describe


def left_out(
    group: PlannedGroup, views: Mapping[PlannedView, tuple[CheckResult, ...]], *, held_before: Set[ViewKey]
) -> Describe:
    """Describe the members that keep their old rows while the others were published.

    Each has the data checks that held it, or none if it reads a held view.
    """
    held_views = held_before | {view.key for view in views}

    def describe(view: PlannedView, *, started_at: datetime, now: datetime) -> RefreshResult:
        if checks := views[view]:
            return unpublished_results.held(view, checks, started_at=started_at, now=now)
        names = " and ".join(str(key.name) for key in sorted(view.depends_on & held_views))
        message = f"Left out of the consistent group {group.name}, because it reads {names}, which data checks held."
        failure = Failure(reason=HeldReason.DEPENDENCY, message=f"{message} {_KEPT}")
        return RefreshResult(outcome=Outcome.HELD, started_at=started_at, finished_at=now, failure=failure)

    return describe


def failed(group: PlannedGroup, culprit: PlannedView | None, error: Error) -> Describe:
    """Describe the members of a group after an error of PostgreSQL, in one of them or in the transaction."""

    reported = culprit or _blocked_member(group, error) or group.leader

    def describe(view: PlannedView, *, started_at: datetime, now: datetime) -> RefreshResult:
        if view is reported:
            return unpublished_results.failed(error, view.key, refreshes_plainly=False, started_at=started_at, now=now)
        cause = f"{_name(culprit)} failed, which is in the same consistent group" if culprit else "it failed as a whole"
        message = f"Not published, because {cause}, {group.name}. {_KEPT}"
        failure = Failure(reason=GroupReason.FAILED, message=message)
        return RefreshResult(outcome=Outcome.FAILED, started_at=started_at, finished_at=now, failure=failure)

    return describe


def _blocked_member(group: PlannedGroup, error: Error) -> PlannedView | None:
    """Return the first member that waits for another session, if the inputs could not be locked."""
    if sqlstate(error) != LOCK_NOT_AVAILABLE:
        return None
    with suppress(Error):
        sessions.discard_if_broken(DEFAULT_DB_ALIAS)
        for view in group.views:
            if server_activity.blocking_sessions(DEFAULT_DB_ALIAS, view.key.name, plain=False):
                return view
    return None


def _all_failed(failure: Failure) -> Describe:
    return _all(Outcome.FAILED, failure)


def _all(outcome: Outcome, failure: Failure) -> Describe:
    def describe(_: PlannedView, *, started_at: datetime, now: datetime) -> RefreshResult:
        return RefreshResult(outcome=outcome, started_at=started_at, finished_at=now, failure=failure)

    return describe


def _name(view: PlannedView | None) -> str:
    return "a member" if view is None else str(view.key.name)
