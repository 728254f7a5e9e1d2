import pytest

from seeder.domain.data_checks.result_text import result_text
from seeder.domain.data_checks.results import (
    CheckOutcome,
    CheckSeverity,
    DataCheck,
    could_not_run,
    judge_bad_rows,
    judge_freshness,
    judge_row_count,
)
from seeder.domain.data_checks.rules import (
    Condition,
    Freshness,
    NotNull,
    Query,
    Range,
    RowCount,
    Rule,
    Unique,
    Unreadable,
)

FAILED, PASSED = CheckOutcome.FAILED, CheckOutcome.PASSED


def check(rule: Rule, **fields: float) -> DataCheck:
    return DataCheck(name="x", rule=rule, **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("rule", "rows", "last", "outcome"),
    [
        (RowCount(minimum=10), 10, None, PASSED),
        (RowCount(minimum=10), 9, None, FAILED),
        (RowCount(maximum=10), 10, None, PASSED),
        (RowCount(maximum=10), 11, None, FAILED),
        (RowCount(max_drop=0.1), 900, 1000, PASSED),
        (RowCount(max_drop=0.1), 899, 1000, FAILED),
        (RowCount(max_drop=0.1), 0, None, PASSED),
        (RowCount(max_drop=0), 1000, 1000, PASSED),
        (RowCount(max_drop=0), 999, 1000, FAILED),
        (RowCount(max_drop=1), 0, 1000, PASSED),
        (RowCount(max_growth=0.1), 1100, 1000, PASSED),
        (RowCount(max_growth=0.1), 1101, 1000, FAILED),
        (RowCount(max_growth=0.5), 1, 0, FAILED),
        (RowCount(max_drop=0.07), 93, 100, PASSED),
        (RowCount(minimum=950, max_drop=0.1), 920, 1000, FAILED),
    ],
)
def test_row_count_is_judged_at_its_exact_edges(
    rule: RowCount, rows: int, last: int | None, outcome: CheckOutcome
) -> None:
    assert judge_row_count(check(rule), rule, rows=rows, last_accepted=last).outcome is outcome


@pytest.mark.parametrize(
    ("fields", "bad_rows", "outcome"),
    [
        ({}, 0, PASSED),
        ({}, 1, FAILED),
        ({"tolerated_rows": 2}, 2, PASSED),
        ({"tolerated_rows": 2}, 3, FAILED),
        ({"tolerated_share": 0.01}, 10, PASSED),
        ({"tolerated_share": 0.01}, 11, FAILED),
        ({"tolerated_share": 0.0019}, 2, FAILED),
        ({"tolerated_rows": 2, "tolerated_share": 0.01}, 10, PASSED),
    ],
)
def test_tolerance_is_the_larger_count(fields: dict[str, float], bad_rows: int, outcome: CheckOutcome) -> None:
    one = check(NotNull(column="a"), **fields)
    assert judge_bad_rows(one, bad_rows=bad_rows, rows=1000).outcome is outcome


@pytest.mark.parametrize(("age", "outcome"), [(24, PASSED), (24.01, FAILED), (-5, PASSED), (None, FAILED)])
def test_freshness_is_judged_at_its_exact_edge(age: float | None, outcome: CheckOutcome) -> None:
    one = check(Freshness(column="a", max_age_hours=24))
    assert judge_freshness(one, latest=None, age_hours=age, max_age_hours=24).outcome is outcome


def test_only_severity_error_holds() -> None:
    error, warning = (
        DataCheck(name="x", rule=NotNull(column="a"), severity=severity)
        for severity in (CheckSeverity.ERROR, CheckSeverity.WARN)
    )
    assert judge_bad_rows(error, bad_rows=1, rows=1).holds
    assert could_not_run(error, message="").holds
    assert not judge_bad_rows(warning, bad_rows=1, rows=1).holds
    assert not could_not_run(warning, message="").holds
    assert not judge_bad_rows(error, bad_rows=0, rows=1).holds


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        (NotNull(column="a"), '1,200 of 10,000 rows with a null in column "a", tolerated 1,000'),
        (
            Range(column="a", minimum=0, maximum="9"),
            '1,200 of 10,000 rows where column "a" is not at least 0 and at most "9", tolerated 1,000',
        ),
        (Unique(columns=("a", "b")), '1,200 of 10,000 rows repeating the values of another row in "a", "b"'),
        (Condition(expression="a >\n 1"), "1,200 of 10,000 rows where this is false: a > 1"),
        (Query(query="SELECT 1"), "the query returns 1,200 rows, tolerated 1,000"),
    ],
)
def test_text_has_figures_and_bounds(rule: Rule, text: str) -> None:
    result = judge_bad_rows(check(rule, tolerated_share=0.1), bad_rows=1200, rows=10_000)
    assert result_text(result).startswith(text)


def test_text_of_a_freshness_check_has_the_age() -> None:
    one = check(Freshness(column="at", max_age_hours=24))
    result = judge_freshness(one, latest="2026-01-01", age_hours=30.04, max_age_hours=24)
    assert result_text(result) == 'the latest "at" is 2026-01-01, 30 hours old, allowed 24 hours'
    empty = judge_freshness(one, latest=None, age_hours=None, max_age_hours=24)
    assert result_text(empty) == 'no value in column "at"'


def test_text_of_a_check_that_could_not_run_has_the_cause() -> None:
    result = could_not_run(check(Unreadable(kind="x", problem="")), message="Division by zero.", sqlstate="22012")
    assert result_text(result) == "it could not run (SQLSTATE 22012): Division by zero"
