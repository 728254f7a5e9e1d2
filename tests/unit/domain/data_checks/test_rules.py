import pytest

from seeder.domain.data_checks.rules import (
    AcceptedValues,
    BadArguments,
    CheckKind,
    Freshness,
    Range,
    RowCount,
    Unique,
    argument_names,
    arguments_of,
    kind_of,
    parse_rule,
)

RULES = [
    ("row_count", {"min": 1, "max_drop": 0.2}, RowCount(minimum=1, max_drop=0.2)),
    ("unique", {"columns": ["a", "b"]}, Unique(columns=("a", "b"))),
    ("accepted_values", {"column": "a", "values": ["x", 1]}, AcceptedValues(column="a", values=("x", 1))),
    ("range", {"column": "a", "min": "2026-01-01"}, Range(column="a", minimum="2026-01-01")),
    ("freshness", {"column": "a", "max_age_hours": 26}, Freshness(column="a", max_age_hours=26)),
]


@pytest.mark.parametrize(("kind", "arguments", "rule"), RULES)
def test_rule_is_read_from_its_arguments(kind: str, arguments: dict[str, object], rule: object) -> None:
    assert parse_rule(kind, arguments) == rule
    assert kind_of(parse_rule(kind, arguments)) == kind


@pytest.mark.parametrize(
    ("kind", "arguments", "problem"),
    [
        ("rows", {}, "the kind 'rows' is unknown: use one of row_count, not_null"),
        ("row_count", {}, "row_count needs one of min, max, max_drop, max_growth"),
        ("row_count", {"min": -1}, "min must be a whole number from 0, not -1"),
        ("row_count", {"min": 1.5}, "min must be a whole number from 0, not 1.5"),
        ("row_count", {"min": 10**400}, "min must be a whole number from 0, not 1000"),
        ("row_count", {"min": True}, "min must be a whole number from 0, not True"),
        ("row_count", {"max_drop": 20}, "max_drop must be a number from 0 to 1, not 20"),
        ("row_count", {"minimum": 1}, "row_count has no argument 'minimum', only min, max, max_drop, max_growth"),
        ("not_null", {}, "not_null needs column"),
        ("not_null", {"column": " "}, "column must be a text that is not empty"),
        ("not_null", ["column"], "the arguments of not_null must be a map of names to values"),
        ("unique", {"columns": []}, "columns must be a list of names"),
        ("unique", {"columns": "a"}, "columns must be a list of names"),
        ("accepted_values", {"column": "a", "values": [None]}, "values must be a text or a number, not None"),
        ("accepted_values", {"values": ["a"]}, "accepted_values needs column and values"),
        ("row_count", {"min": 2, "max": 1}, "min is larger than max"),
        ("range", {"column": "a", "min": 0.5, "max": 0}, "min is larger than max"),
        ("range", {"column": "a"}, "range needs min or max"),
        ("range", {"min": 1}, "range needs column"),
        ("range", {"column": "a", "min": float("nan")}, "min must be a text or a number, not nan"),
        ("query", {"query": "SELECT '\0'"}, "query must be a text that is not empty"),
    ],
)
def test_bad_arguments_are_named(kind: str, arguments: object, problem: str) -> None:
    with pytest.raises(BadArguments) as raised:
        parse_rule(kind, arguments)
    assert str(raised.value).startswith(problem)


@pytest.mark.parametrize(
    ("kind", "arguments", "argument"),
    [("row_count", {"min": 1, "max": -1}, "max"), ("range", {"min": 1}, "column"), ("range", {"column": "a"}, None)],
)
def test_bad_argument_is_the_invalid_or_missing_one(
    kind: str, arguments: dict[str, object], argument: str | None
) -> None:
    with pytest.raises(BadArguments) as raised:
        parse_rule(kind, arguments)
    assert raised.value.argument == argument


@pytest.mark.parametrize(
    ("kind", "arguments"),
    [
        ("row_count", {"min": 0, "max_drop": 0.2}),
        ("not_null", {"column": "a"}),
        ("unique", {"columns": ["a", "b"]}),
        ("accepted_values", {"column": "a", "values": ["x", 0]}),
        ("range", {"column": "a", "max": "2026-01-01"}),
        ("freshness", {"column": "a", "max_age_hours": 0.5}),
        ("condition", {"expression": "true"}),
        ("query", {"query": "SELECT 1"}),
        ("drift", {"from_severity": "notice"}),
    ],
)
def test_rule_has_the_arguments_that_it_was_parsed_from(kind: str, arguments: dict[str, object]) -> None:
    assert arguments_of(parse_rule(kind, arguments)) == arguments


def test_every_kind_has_arguments() -> None:
    assert all(argument_names(kind) for kind in CheckKind)
