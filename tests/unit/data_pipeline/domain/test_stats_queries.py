"""Filters of statistics: their values, and the columns that they may name."""

from collections.abc import Sequence

import pytest

from data_pipeline.domain.stats_queries import StatsColumn, find_date_column, parse_filters, split_values
from data_pipeline.stats_errors import BadFilterValue, ColumnNotFilterable, NoDateColumn, UnknownFilter


def column(name: str, type_name: str = "text", *, equality: str | None = "=") -> StatsColumn:
    is_date = type_name == "date"
    return StatsColumn(
        name=name,
        type=type_name,
        value_type=type_name,
        equality=equality,
        is_date=is_date,
        is_time=is_date,
        is_json=not is_date,
    )


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("acme", ["acme"]),
        ("acme,globex", ["acme", "globex"]),
        ('"Smith, Ltd.",acme', ["Smith, Ltd.", "acme"]),
        ('""', [""]),
        (" acme", [" acme"]),
    ],
)
def test_values_are_split_at_commas_outside_of_quotes(text: str, values: Sequence[str]) -> None:
    assert split_values("vendor", text) == values


@pytest.mark.parametrize("text", ["", '"acme', '"a"b', "a\nb", ",".join("x" * 101)])
def test_malformed_values_are_refused_by_name(text: str) -> None:
    with pytest.raises(BadFilterValue, match="'vendor' must be 1 to 100 values"):
        split_values("vendor", text)


def test_parameter_that_is_no_column_is_refused_by_name() -> None:
    with pytest.raises(UnknownFilter, match="'vender' is neither a parameter nor a column .* columns: vendor, sku"):
        parse_filters([column("vendor"), column("sku")], {"vender": "acme"})


def test_column_without_equal_values_is_refused() -> None:
    with pytest.raises(ColumnNotFilterable, match="'body' has the type json"):
        parse_filters([column("body", "json", equality=None)], {"body": "{}"})


@pytest.mark.parametrize("value", ["today", "now", "2026-11-30,yesterday", "12:00 tomorrow", "epoch", "infinity"])
def test_word_for_a_time_is_refused(value: str) -> None:
    with pytest.raises(BadFilterValue, match="'day' must be a value of the type date, in digits"):
        parse_filters([column("day", "date")], {"day": value})


def test_only_column_of_dates_is_found() -> None:
    columns = [column("sku"), column("day", "date")]
    assert find_date_column(columns, configured=None, parameter="date_from") == "day"


def test_configured_column_of_dates_is_preferred() -> None:
    columns = [column("made", "date"), column("sold", "date")]
    assert find_date_column(columns, configured="sold", parameter="date_from") == "sold"


@pytest.mark.parametrize(
    ("columns", "configured", "found"),
    [
        ([column("sku")], None, "no column of dates"),
        ([column("made", "date"), column("sold", "date")], None, "several columns of dates: made, sold"),
        ([column("made", "date")], "sku", "no column of dates"),
    ],
)
def test_period_without_its_column_is_refused(
    columns: Sequence[StatsColumn], configured: str | None, found: str
) -> None:
    assert find_date_column(columns, configured=configured, parameter=None) is None
    with pytest.raises(NoDateColumn, match=f"'date_to' limits no column: the statistic has {found}"):
        find_date_column(columns, configured=configured, parameter="date_to")
