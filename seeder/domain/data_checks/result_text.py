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
from seeder.texts import Text


def hold_message(view: ViewName, results: Sequence[CheckResult]) -> str:
    """Return why a view was not published, with figures, bounds and bad rows. It contains data."""
    held = [result for result in results if result.holds]
    count = f"{len(held)} of {len(results)} data checks" if len(results) > 1 else "its data check"
    lines = [f"Not published, because of {count}: {held[0].check.name}: {result_text(held[0])}."]
    lines += _sample_lines(held[0])
    for result in held[1:]:
        lines += [f"{result.check.name}: {result_text(result)}.", *_sample_lines(result)]
    correct = "the data" if any(result.outcome is CheckOutcome.FAILED for result in held) else "the check"
    lines.append(
        f"Readers keep the data from before. Correct {correct} and refresh again. To publish such data once, run"
        f" manage.py waive_check {view} --reason REASON, then refresh again."
    )
    return "\n".join(lines)


def data_check_notes(results: Iterable[CheckResult]) -> Iterator[str]:
    """Yield a sentence on each check of a published view that did not pass. It has figures, but no rows."""
    for result in results:
        name, text = result.check.name, result_text(result)
        if result.waiver is not None:
            waiver = result.waiver
            yield f"{waived_note_start(name)}{waiver.granted_by} ({waiver.reason}): {text}."
        elif result.outcome is not CheckOutcome.PASSED and result.check.severity is CheckSeverity.WARN:
            yield f"Warning of data check {name}: {text}."


def waived_note_start(check_name: str) -> str:
    """Return the start of the note on a check that was waived."""
    return f"Published although {check_name} failed, by a waiver of "


def result_text(result: CheckResult) -> Text:
    """Return the figures and bounds of a result, without a full stop."""
    if result.outcome is CheckOutcome.COULD_NOT_RUN or (not result.figures and result.message):
        return could_not_run_text(result.sqlstate, (result.message or "").rstrip("."))
    rule = result.check.rule
    figures: Mapping[str, Any] = result.figures
    match rule:
        case RowCount():
            rows, bounds = format_count(figures["rows"], "row"), _bounds_text(figures)
            return Text("{rows}, expected {bounds}", rows=rows, bounds=bounds)
        case Freshness(column=column):
            return _age_text(column, figures)
        case Drift():
            return drift_text(figures) if figures.get("findings") else Text("nothing to compare with")
    text = _bad_rows_text(rule, figures)
    if figures["tolerated"]:
        return Text("{text}, tolerated {number:,}", text=text, number=figures["tolerated"])
    return text


def could_not_run_text(sqlstate: str | None, message: str) -> Text:
    """Return why a check has no verdict, without a full stop."""
    text = Text("it could not run")
    if sqlstate:
        text = Text("it could not run (SQLSTATE {sqlstate})", sqlstate=sqlstate)
    return Text("{text}: {message}", text=text, message=message) if message else text


def _age_text(column: str, figures: Mapping[str, Any]) -> Text:
    if figures["latest"] is None:
        return Text('no value in column "{column}"', column=column)
    return Text(
        'the latest "{column}" is {latest}, {age} hours old, allowed {most} hours',
        column=column,
        latest=figures["latest"],
        age=_number(figures["age_hours"]),
        most=_number(figures["max_age_hours"]),
    )


def _bad_rows_text(rule: Rule, figures: Mapping[str, Any]) -> Text:
    """Return what is wrong with how many rows."""
    values = {"number": figures["bad_rows"], "rows": format_count(figures.get("rows", 0), "row")}
    match rule:
        case Query():
            text = Text("the query returns {rows}", rows=format_count(figures["bad_rows"], "row"))
        case NotNull(column=column):
            text = Text('{number:,} of {rows} with a null in column "{column}"', column=column, **values)
        case AcceptedValues(column=column):
            text = Text('{number:,} of {rows} with another value in column "{column}"', column=column, **values)
        case Range():
            text = _range_text(rule, values)
        case Unique(columns=columns):
            names = ", ".join(f'"{name}"' for name in columns)
            text = Text("{number:,} of {rows} repeating the values of another row in {names}", names=names, **values)
        case Condition(expression=expression):
            condition = " ".join(expression.split())
            text = Text("{number:,} of {rows} where this is false: {condition}", condition=condition, **values)
        case _:
            text = Text("{number:,} of {rows} bad", **values)
    return text


def _range_text(rule: Range, values: Mapping[str, Any]) -> Text:
    values = {**values, "column": rule.column, "lowest": json.dumps(rule.minimum), "highest": json.dumps(rule.maximum)}
    if rule.maximum is None:
        return Text('{number:,} of {rows} where column "{column}" is not at least {lowest}', **values)
    if rule.minimum is None:
        return Text('{number:,} of {rows} where column "{column}" is not at most {highest}', **values)
    return Text('{number:,} of {rows} where column "{column}" is not at least {lowest} and at most {highest}', **values)


def _bounds_text(figures: Mapping[str, Any]) -> Text:
    minimum, maximum = figures["minimum"], figures["maximum"]
    if minimum is None and maximum is None:
        text = Text("any number")
    elif maximum is None:
        text = Text("at least {minimum:,}", minimum=minimum)
    elif minimum is None:
        text = Text("at most {maximum:,}", maximum=maximum)
    else:
        text = Text("at least {minimum:,} and at most {maximum:,}", minimum=minimum, maximum=maximum)
    if figures["last_accepted"] is None:
        return text
    return Text("{bounds} (last accepted: {number:,})", bounds=text, number=figures["last_accepted"])


def _sample_lines(result: CheckResult) -> list[str]:
    return [f"  {sample}" for sample in result.samples]


def _number(value: Any) -> str:
    rounded = round(value, 1)
    whole = int(rounded)
    return Text("{number:,}", number=whole) if rounded == whole else Text("{number:,.1f}", number=rounded)
