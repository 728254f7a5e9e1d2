"""Data checks and their results: figures, bounds and verdicts."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from math import ceil, floor
from typing import Any

from seeder.domain.data_checks.rules import RowCount, Rule, kind_of

Figure = int | float | str | None | Sequence[Mapping[str, Any]]


class CheckSeverity(StrEnum):
    """What a failed data check does."""

    ERROR = "error"  # holds the view
    WARN = "warn"  # is reported


class CheckOutcome(StrEnum):
    """How a data check ended."""

    PASSED = "passed"
    FAILED = "failed"
    COULD_NOT_RUN = "could_not_run"
    WAIVED = "waived"


@dataclass(frozen=True, kw_only=True, slots=True)
class DataCheck:
    """A condition on the rows of a view."""

    name: str
    rule: Rule
    severity: CheckSeverity = CheckSeverity.ERROR
    tolerated_rows: int = 0  # bad rows with which it still passes
    tolerated_share: float = 0.0  # of all rows, from 0 to 1; the larger of both counts

    @property
    def kind(self) -> str:
        return kind_of(self.rule)

    def tolerated(self, rows: int) -> int:
        """Return the number of bad rows with which the check passes."""
        return max(self.tolerated_rows, floor(self.tolerated_share * rows))


@dataclass(frozen=True, kw_only=True, slots=True)
class Waiver:
    """A permission to publish once although a data check fails."""

    id: int
    check_name: str
    arguments: Mapping[str, Any]  # of the check that its author has seen, as `arguments_of` returns them
    accepted: Mapping[str, Figure]  # figures of the failure that its author has seen; none if the check could not run
    sqlstate: str | None = None  # of a check that could not run
    reason: str
    granted_by: str


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckResult:
    """Result of one data check of one refresh."""

    check: DataCheck
    outcome: CheckOutcome
    # Numbers of rows: `rows`, `bad_rows`, `tolerated`, `minimum`, `maximum`, `last_accepted`. Of a freshness check:
    # `latest` and `age_hours`. Of a drift check: `release` and `findings`.
    figures: Mapping[str, Figure] = field(default_factory=dict)
    samples: Sequence[str] = ()  # bad rows as JSON, possibly cut
    message: str | None = None  # PostgreSQL's message if it could not run; may contain data
    sqlstate: str | None = None
    waiver: Waiver | None = None

    @property
    def holds(self) -> bool:
        """True if the view must not be published."""
        unmet = self.outcome in {CheckOutcome.FAILED, CheckOutcome.COULD_NOT_RUN}
        return unmet and self.check.severity is CheckSeverity.ERROR


def judge_bad_rows(check: DataCheck, *, bad_rows: int, rows: int, samples: Sequence[str] = ()) -> CheckResult:
    """Judge a number of bad rows by the tolerance."""
    tolerated = check.tolerated(rows)
    return CheckResult(
        check=check,
        outcome=_outcome(passed=bad_rows <= tolerated),
        figures={"rows": rows, "bad_rows": bad_rows, "tolerated": tolerated},
        samples=samples,
    )


def judge_row_count(check: DataCheck, rule: RowCount, *, rows: int, last_accepted: int | None) -> CheckResult:
    """Judge the number of rows. Without a last accepted count, only the absolute bounds count."""
    lower, upper = [rule.minimum], [rule.maximum]
    if last_accepted is not None and rule.max_drop is not None:
        lower.append(ceil(round(last_accepted * (1 - rule.max_drop), 6)))
    if last_accepted is not None and rule.max_growth is not None:
        upper.append(floor(round(last_accepted * (1 + rule.max_growth), 6)))
    minimum = max((one for one in lower if one is not None), default=None)
    maximum = min((one for one in upper if one is not None), default=None)
    passed = (minimum is None or rows >= minimum) and (maximum is None or rows <= maximum)
    figures = {"rows": rows, "minimum": minimum, "maximum": maximum, "last_accepted": last_accepted}
    return CheckResult(check=check, outcome=_outcome(passed=passed), figures=figures)


def judge_freshness(
    check: DataCheck, *, latest: str | None, age_hours: float | None, max_age_hours: float
) -> CheckResult:
    """Judge the age of the latest value. A view without a value fails."""
    passed = age_hours is not None and age_hours <= max_age_hours
    age = None if age_hours is None else round(age_hours, 3)
    figures = {"latest": latest, "age_hours": age, "max_age_hours": max_age_hours}
    return CheckResult(check=check, outcome=_outcome(passed=passed), figures=figures)


def could_not_run(check: DataCheck, *, message: str, sqlstate: str | None = None) -> CheckResult:
    """Return the result of a check that has no verdict."""
    return CheckResult(check=check, outcome=CheckOutcome.COULD_NOT_RUN, message=message, sqlstate=sqlstate)


def are_held(results: Iterable[CheckResult]) -> bool:
    """Return whether a result keeps the view from being published."""
    return any(result.holds for result in results)


def _outcome(*, passed: bool) -> CheckOutcome:
    return CheckOutcome.PASSED if passed else CheckOutcome.FAILED
