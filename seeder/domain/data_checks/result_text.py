"""Texts about results of data checks."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from seeder.domain.data_checks.drift import drift_text
from seeder.domain.data_checks.results import CheckOutcome, CheckResult, CheckSeverity
from seeder.domain.data_checks.rules import (
    AcceptedValues,
    Condition,
    Drift,
    Freshness,
    NotNull,
    Query,
    Range,
    RowCount,
    Rule,
    Unique,
)
from seeder.domain.human_format import format_count
from seeder.domain.view_names import ViewName


def hold_message(view: ViewName, results: Sequence[CheckResult]) -> str:
    """Return why a view was not published, with figures, bounds and bad rows. It contains data."""
    held = [result for result in results if result.holds]
    count = f"{len(held)} of {len(results)} data checks" if len(results) > 1 else "its data check"
    lines = [f"Not published, because of {count}: {held[0].check.name}: {result_text(held[0])}."]
    lines += _sample_lines(held[0])
    for result in held[1:]:
        lines += [f"{result.check.name}: {result_text(result)}.", *_sample_lines(result)]
    lines.append(
        "Readers keep the data from before. Correct the data and refresh again. To publish such data once, run"
        f" manage.py waive_check {view} --reason REASON, then refresh again."
    )
    return "\n".join(lines)


def data_check_notes(results: Iterable[CheckResult]) -> Iterator[str]:
    """Yield a sentence on each check of a published view that did not pass. It has figures, but no rows."""
    for result in results:
        name, text = result.check.name, result_text(result)
        if result.waiver is not None:
            waiver = result.waiver
            yield f"Published although {name} failed, by a waiver of {waiver.granted_by} ({waiver.reason}): {text}."
        elif result.outcome is not CheckOutcome.PASSED and result.check.severity is CheckSeverity.WARN:
            yield f"Warning of data check {name}: {text}."


def result_text(result: CheckResult) -> str:
    """Return the figures and bounds of a result, without a full stop."""
    if result.outcome is CheckOutcome.COULD_NOT_RUN or (not result.figures and result.message):
        state = f" (SQLSTATE {result.sqlstate})" if result.sqlstate else ""
        return f"it could not run{state}: {(result.message or '').rstrip('.')}"
    rule, figures = result.check.rule, result.figures
    match rule:
        case RowCount():
            return f"{_rows(figures['rows'])}, expected {_bounds_text(result)}"
        case Freshness(column=column):
            return _age_text(column, figures)
        case Drift():
            return drift_text(figures) if figures.get("findings") else "nothing to compare with"
    allowed = f", tolerated {figures['tolerated']:,}" if figures["tolerated"] else ""
    if isinstance(rule, Query):
        return f"the query returns {_rows(figures['bad_rows'])}{allowed}"
    return f"{figures['bad_rows']:,} of {_rows(figures['rows'])} {_fault(rule)}{allowed}"


def _age_text(column: str, figures: Mapping[str, Any]) -> str:
    if figures["latest"] is None:
        return f'no value in column "{column}"'
    age, most = _number(figures["age_hours"]), _number(figures["max_age_hours"])
    return f'the latest "{column}" is {figures["latest"]}, {age} hours old, allowed {most} hours'


def _fault(rule: Rule) -> str:
    """Return what is wrong with the bad rows."""
    match rule:
        case NotNull(column=column):
            return f'with a null in column "{column}"'
        case AcceptedValues(column=column):
            return f'with another value in column "{column}"'
        case Range(column=column):
            lowest, highest = json.dumps(rule.minimum), json.dumps(rule.maximum)
            bounds = (f"at least {lowest}", f"at most {highest}")
            given = [
                text for text, bound in zip(bounds, (rule.minimum, rule.maximum), strict=True) if bound is not None
            ]
            return f'where column "{column}" is not {" and ".join(given)}'
        case Unique(columns=columns):
            names = ", ".join(f'"{name}"' for name in columns)
            return f"repeating the values of another row in {names}"
        case Condition(expression=expression):
            return f"where this is false: {' '.join(expression.split())}"
    return "bad"


def _bounds_text(result: CheckResult) -> str:
    figures = result.figures
    bounds = [
        f"{word} {figures[name]:,}"
        for name, word in (("minimum", "at least"), ("maximum", "at most"))
        if figures[name] is not None
    ]
    last = "" if figures["last_accepted"] is None else f" (last accepted: {figures['last_accepted']:,})"
    return f"{' and '.join(bounds) or 'any number'}{last}"


def _sample_lines(result: CheckResult) -> list[str]:
    return [f"  {sample}" for sample in result.samples]


def _rows(number: Any) -> str:
    return format_count(number, "row")


def _number(value: Any) -> str:
    return f"{value:,.1f}".removesuffix(".0")
