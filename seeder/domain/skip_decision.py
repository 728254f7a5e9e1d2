"""Decides if a refresh may be skipped with a proof, and when it pays to take or verify one.

Counters of the server's statistics show when it pays. They can miss a committed change, so they never decide that a
refresh is skipped: only a proof does.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Self

from seeder.domain.human_format import format_duration, join_with_and
from seeder.domain.read_relations import ReadRelations
from seeder.domain.skip_proof import SkipProof
from seeder.domain.view_names import ViewName
from seeder.texts import Text

# A proof reads the inputs once, which took a tenth of the cheapest refresh of half a million rows. Below this duration,
# the round trips would cost more than that.
MIN_DURATION = timedelta(seconds=0.25)

# Limits the effect of what no proof covers, such as replaced time zone data.
MAX_AGE = timedelta(days=7)


class SkipAction(StrEnum):
    """What a run does about a skip of a view."""

    REFRESH = "refresh"  # without a proof
    PROVE = "prove"  # refresh, and take a proof for the next run
    VERIFY = "verify"  # skip the refresh if its proof holds


@dataclass(frozen=True, kw_only=True, slots=True)
class PastRefresh:
    """The last refresh of a view, as its last skip or refresh recorded it."""

    refreshed_at: datetime  # its start
    duration: timedelta
    rows: int | None
    size_bytes: int
    activity: Mapping[int, int]  # written rows of each input by the statistics, before it
    proof: SkipProof | None


@dataclass(frozen=True, kw_only=True, slots=True)
class SkipFacts:
    """What is known about a view before its refresh."""

    exists: bool
    last_duration: timedelta | None  # of its last refresh; None if it never succeeded
    has_failed: bool  # its last refresh did
    has_checks: bool
    open_reasons: Sequence[str] | None = ()  # why its query is not closed; None if unknown
    past: PastRefresh | None = None
    reads: ReadRelations | None = None  # None if unknown


@dataclass(frozen=True, kw_only=True, slots=True)
class SkipPolicy:
    """What the settings and the request allow."""

    is_enabled: bool = True
    never: frozenset[ViewName] = frozenset()  # views that are always refreshed
    is_forced: bool = False  # the request refreshes every view


@dataclass(frozen=True, kw_only=True, slots=True)
class SkipPlan:
    """What a run does about a skip, and why."""

    action: SkipAction
    reason: str  # a sentence
    is_closed: bool = True  # what its query returns follows from its inputs, as far as that was looked up
    past: PastRefresh | None = None
    reads: ReadRelations | None = None  # if known, the refresh is recorded for the decision of the next run

    def without_names(self) -> Self:
        """Return the plan without what the query uses, which a reader may not see."""
        return self if self.is_closed else replace(self, reason=Text("Cannot be skipped: its query is not closed."))


_REASONS = (
    Text("Not skipped: SEEDER_SKIP_UNCHANGED is false."),
    Text("Not skipped: SEEDER_NEVER_SKIP names it."),
    Text("Not skipped: the run was requested with --force."),
    Text("Not skipped: it does not exist."),
    Text("Not skipped: its last refresh failed."),
    Text("Not skipped: it has data checks, which only a refresh runs."),
    Text("Not skipped: it was never refreshed."),
)


def rule_out(view: ViewName, facts: SkipFacts, policy: SkipPolicy) -> SkipPlan | None:
    """Return why a refresh is not skipped, as far as that is known without its inputs. None if it may be."""
    duration = facts.last_duration
    conditions = (
        not policy.is_enabled,
        view in policy.never,
        policy.is_forced,
        not facts.exists,
        facts.has_failed,
        facts.has_checks,
        duration is None,
    )
    for reason, applies in zip(_REASONS, conditions, strict=True):
        if applies:
            return SkipPlan(action=SkipAction.REFRESH, reason=reason)
    if duration is not None and duration < MIN_DURATION:
        text = Text(
            "Not skipped: its last refresh took {duration}, so a proof would not pay.",
            duration=format_duration(duration),
        )
        return SkipPlan(action=SkipAction.REFRESH, reason=text)
    return None


def plan_skip(view: ViewName, facts: SkipFacts, policy: SkipPolicy, now: datetime) -> SkipPlan:
    """Return what a run does about a skip of a view."""
    if (ruled_out := rule_out(view, facts, policy)) is not None:
        return ruled_out
    if facts.open_reasons is None or facts.reads is None:
        text = Text("Not skipped: it is unknown what its query reads.")
        return SkipPlan(action=SkipAction.REFRESH, reason=text)
    if facts.open_reasons:
        text = Text("Cannot be skipped, because it {reasons}.", reasons=join_with_and(facts.open_reasons))
        return SkipPlan(action=SkipAction.REFRESH, reason=text, is_closed=False)
    action, reason = _timing(facts.past, facts.reads, now)
    return SkipPlan(action=action, reason=reason, past=facts.past, reads=facts.reads)


def _timing(past: PastRefresh | None, reads: ReadRelations, now: datetime) -> tuple[SkipAction, Text]:
    if past is None:
        text = Text("Not skipped: this refresh is the first that records if its inputs change.")
        return SkipAction.REFRESH, text
    if past.activity != reads.activity:
        text = Text("Not skipped: its inputs have changed since its last refresh, by the statistics.")
        return SkipAction.REFRESH, text
    if past.proof is None:
        text = Text("Not skipped: its inputs seem unchanged, so this refresh takes the first proof.")
        return SkipAction.PROVE, text
    if now - past.refreshed_at >= MAX_AGE:
        return SkipAction.PROVE, Text("Not skipped: its last refresh is {days} days old.", days=MAX_AGE.days)
    return SkipAction.VERIFY, Text("Skipped if its inputs are proved to be unchanged.")
