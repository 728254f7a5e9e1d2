"""Chooses how a view is refreshed: plainly, which blocks its readers, or concurrently.

A plain refresh was faster in all 42 measured cells of 5,000 to 150,000 rows and 0 to 100 % changed rows, by 2.3 to 14
times. So there is no crossover of durations, and the rule is only about readers: a view is refreshed plainly if its
readers may wait that long, otherwise concurrently.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from seeder.domain.human_format import format_duration
from seeder.domain.maintenance_windows import MaintenanceWindow, open_until
from seeder.domain.mode_predictor import PastRefresh, Prediction, RefreshMode, predict
from seeder.texts import Text

BLOATED = 1.6  # the most that a view with VACUUM after each refresh reached at 30 % changed rows
_MIN_LOCK_WAIT = timedelta(milliseconds=10)


@dataclass(frozen=True, kw_only=True, slots=True)
class ModeFacts:
    """What a plan knows about the refreshes of a view."""

    past: tuple[PastRefresh, ...] = ()  # the latest first
    can_be_concurrent: bool = True  # it is populated and has a usable unique index
    scale: float = 1.0  # of the predictor, learned from this view or from others


@dataclass(frozen=True, kw_only=True, slots=True)
class ReaderLimits:
    """How long readers may wait."""

    budget: timedelta
    windows: Sequence[MaintenanceWindow] = ()
    has_fallback: bool = True  # a view that cannot be refreshed concurrently is refreshed plainly


@dataclass(frozen=True, kw_only=True, slots=True)
class ModeChoice:
    """A mode, with its reason."""

    mode: RefreshMode
    reason: str | None = None  # a sentence with figures; None if the setting decides alone
    is_forced: bool = False  # plain, although readers may not wait that long
    max_lock_wait: timedelta | None = None  # of a plain refresh, because readers queue behind it; None: no own limit
    prediction: Prediction = field(default_factory=Prediction)

    def while_readers_hold_it(self) -> "ModeChoice":
        """Return the choice after a plain refresh that did not get its lock in time."""
        reason = Text(
            "Concurrent, because a session used the view for longer than {limit}, and others would have queued.",
            limit=format_duration(self.max_lock_wait or timedelta()),
        )
        return replace(self, mode=RefreshMode.CONCURRENT, reason=reason, max_lock_wait=None)


def choose_mode(facts: ModeFacts, limits: ReaderLimits, now: datetime) -> ModeChoice:
    """Choose the mode of a refresh that starts now."""
    prediction = predict(facts.past, scale=facts.scale)
    plain = prediction.plain
    if plain is not None and plain <= limits.budget:
        may_give_up = facts.can_be_concurrent
        reason = Text(
            "Plain, because it takes about {duration}, and readers may wait {budget}.",
            duration=format_duration(plain),
            budget=format_duration(limits.budget),
        )
        return ModeChoice(
            mode=RefreshMode.PLAIN,
            reason=Text.joined([reason, *_bloat_text(prediction)], " "),
            max_lock_wait=max(limits.budget - plain, _MIN_LOCK_WAIT) if may_give_up else None,
            prediction=prediction,
        )
    until = open_until(limits.windows, now)
    if until is not None and now + (plain or timedelta()) <= until:
        reason = Text("Plain, because of the maintenance window until {end:%H:%M %Z}.", end=until)
        if plain is not None:
            reason = Text(
                "Plain, because of the maintenance window until {end:%H:%M %Z}, and it takes about {duration}.",
                end=until,
                duration=format_duration(plain),
            )
        return ModeChoice(
            mode=RefreshMode.PLAIN,
            reason=Text.joined([reason, *_bloat_text(prediction)], " "),
            prediction=prediction,
        )
    cause = _plain_is_too_long_text(prediction, limits)
    if facts.can_be_concurrent or not limits.has_fallback:
        reason = Text("Concurrent, because {cause}.", cause=cause)
        reason = Text.joined([reason, *_concurrent_text(prediction), *_bloat_text(prediction)], " ")
        return ModeChoice(mode=RefreshMode.CONCURRENT, reason=reason, prediction=prediction)
    reason = Text("Plain, although {cause}: the view has no usable unique index, or was never filled.", cause=cause)
    return ModeChoice(mode=RefreshMode.PLAIN, reason=reason, is_forced=True, prediction=prediction)


def _plain_is_too_long_text(prediction: Prediction, limits: ReaderLimits) -> Text:
    if prediction.plain is None:
        return Text("no refresh of the view has been measured")
    return Text(
        "a plain refresh takes about {duration}, and readers may wait {budget}",
        duration=format_duration(prediction.plain),
        budget=format_duration(limits.budget),
    )


def _concurrent_text(prediction: Prediction) -> Iterator[Text]:
    if prediction.concurrent is not None and prediction.churn is not None:
        yield Text(
            "It takes about {duration} with {share:.0%} changed rows.",
            duration=format_duration(prediction.concurrent),
            share=prediction.churn,
        )
    elif prediction.concurrent is not None:
        yield Text("It takes about {duration}.", duration=format_duration(prediction.concurrent))


def _bloat_text(prediction: Prediction) -> Iterator[Text]:
    if prediction.bloat is not None and prediction.bloat >= BLOATED:
        yield bloat_text(prediction.bloat)


def bloat_text(bloat: float) -> Text:
    """Return how much more space than after a plain refresh a row takes."""
    return Text("A row takes {factor:.1f} times the space that it took after the last plain refresh.", factor=bloat)
