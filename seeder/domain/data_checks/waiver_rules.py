"""Which failures a waiver covers: those that are no worse than what its author has seen."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from seeder.domain.data_checks.drift import is_drift_covered
from seeder.domain.data_checks.results import CheckOutcome, CheckResult, Waiver
from seeder.domain.data_checks.rules import Drift, Freshness, RowCount, arguments_of


def waive(results: Sequence[CheckResult], waivers: Iterable[Waiver]) -> tuple[CheckResult, ...]:
    """Return the results, each failure that a waiver covers as waived. The first such waiver counts."""
    waivers = list(waivers)
    return tuple(_waived(result, waivers) if result.holds else result for result in results)


def _waived(result: CheckResult, waivers: Iterable[Waiver]) -> CheckResult:
    for waiver in waivers:
        # A check whose arguments were changed since counts other rows.
        is_of_check = (waiver.check_name, waiver.arguments) == (result.check.name, arguments_of(result.check.rule))
        if is_of_check and covers(waiver, result):
            return replace(result, outcome=CheckOutcome.WAIVED, waiver=waiver)
    return result


def covers(waiver: Waiver, result: CheckResult) -> bool:
    """Return whether a failure is no worse than the one that was waived.

    A check that could not run is covered if it could not run for the same reason.
    """
    if not result.figures or not waiver.accepted:
        return not result.figures and not waiver.accepted and result.sqlstate == waiver.sqlstate
    if isinstance(result.check.rule, Drift):
        return is_drift_covered(waiver.accepted, result.figures)
    if isinstance(result.check.rule, RowCount):
        return _is_row_count_covered(waiver.accepted, result.figures)
    name = "latest" if isinstance(result.check.rule, Freshness) else "bad_rows"
    if name not in waiver.accepted:
        return False  # the check has another kind now
    seen, current = waiver.accepted[name], result.figures[name]
    if isinstance(result.check.rule, Freshness):
        return seen is None or (current is not None and str(current) >= str(seen))  # both are ISO dates
    return _number(current) <= _number(seen)


def _is_row_count_covered(accepted: Mapping[str, Any], figures: Mapping[str, Any]) -> bool:
    if "rows" not in accepted:
        return False
    rows, seen = figures["rows"], accepted["rows"]
    is_enough = figures["minimum"] is None or rows >= min(figures["minimum"], seen)
    return is_enough and (figures["maximum"] is None or rows <= max(figures["maximum"], seen))


def _number(value: Any) -> float:
    return float(value)
