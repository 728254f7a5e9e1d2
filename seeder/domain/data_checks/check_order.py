"""When the data checks of a view run: inside a refresh that blocks readers, or before it on the result of the query.

A plain refresh keeps its lock until it is published, so its readers also wait for checks inside. Before it, checks read
the result of the query at the snapshot of the refresh. Then the query runs once more for each statement of the checks.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from seeder.domain.data_checks.results import DataCheck
from seeder.domain.data_checks.rules import Query, Unique, Unreadable
from seeder.domain.human_format import format_duration, format_names, join_with_and
from seeder.texts import Text

# Measured with 200,000 rows: ten row checks in one scan took 0.08 s, a GROUP BY of three columns 0.3 s.
_SCAN, _GROUPING = 0.4e-6, 1.5e-6  # seconds for each row
_MIN_SHARE = 0.1  # of the duration of a refresh


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckOrder:
    """Whether checks run before a plain refresh, and otherwise why not."""

    runs_before: bool
    inside: tuple[str, ...] = ()  # names of the checks that run inside nevertheless
    reasons: tuple[str, ...] = ()  # ends of a sentence about the view

    def without_names(self) -> "CheckOrder":
        """Return the order without reasons, which can name what the query reads."""
        return replace(self, reasons=())

    def __str__(self) -> str:
        """Return what readers wait for, as a sentence."""
        if not self.runs_before:
            if not self.reasons:
                return Text("Its readers wait until its data checks have ended.")
            reasons = join_with_and(self.reasons)
            return Text("Its readers wait until its data checks have ended, because {reasons}.", reasons=reasons)
        text = Text(
            "Its data checks run before the refresh, on the result of its query, so that readers wait for little more"
            " than the refresh."
        )
        if not self.inside:
            return text
        checks = format_names(self.inside, "check")
        return Text.joined(
            [text, Text("Those whose SQL can read the view run inside it: {checks}.", checks=checks)], " "
        )


def can_run_on_query(check: DataCheck) -> bool:
    """Return whether a check can run on the result of a query instead of the view.

    SQL of a user can read the view, which still has its old rows before the refresh. A condition usually does not.
    """
    return not isinstance(check.rule, Query | Unreadable)


def choose_order(
    on_query: Collection[DataCheck],
    reasons: Sequence[str],
    *,
    rows: int,
    last_duration: timedelta | None,
    between: tuple[timedelta, timedelta],
) -> CheckOrder:
    """Choose when the checks of a plain refresh run that can run on the result of its query.

    `reasons` are why they cannot, as ends of a sentence about the view. `rows` is the expected number of rows, 0 if it
    is unknown, and `last_duration` that of the last refresh, with its checks. It has to be between what readers may
    wait for, and the time limit of a statement of a check.
    """
    budget, time_limit = between
    if reasons:
        return CheckOrder(runs_before=False, reasons=tuple(Text("it {reason}", reason=reason) for reason in reasons))
    if last_duration is None or last_duration <= budget:
        reason = Text("the refresh takes at most {duration}", duration=format_duration(budget))
        return CheckOrder(runs_before=False, reasons=(reason,))
    if last_duration >= time_limit:
        reason = Text("its query could exceed {duration}", duration=format_duration(time_limit))
        return CheckOrder(runs_before=False, reasons=(reason,))
    if not on_query:
        return CheckOrder(runs_before=False, reasons=(Text("their SQL can read the view"),))
    groupings = sum(isinstance(check.rule, Unique) for check in on_query)
    gain = rows * ((_SCAN if len(on_query) > groupings else 0) + groupings * _GROUPING)
    if gain < _MIN_SHARE * last_duration.total_seconds():
        return CheckOrder(runs_before=False, reasons=(Text("they take a small part of its refresh"),))
    return CheckOrder(runs_before=True)
