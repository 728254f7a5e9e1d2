from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_pipeline.dialect_errors import AmbiguousHeader
from data_pipeline.domain.dialects import Column, Dialect, Surplus
from data_pipeline.domain.headers import HeaderMatch, auto_dialect, match_header
from data_pipeline.errors import HeaderRefused

TABLE = ("id", "amount", "ordered_on", "Note")
ORDERS = Dialect(
    name="orders",
    target="orders",
    columns=(
        Column(name="id", aliases=("Order ID", "#"), required=True),
        Column(name="amount", aliases=("Total",)),
    ),
)


def match(
    *names: str, surplus: Surplus = Surplus.REFUSE, table: Sequence[str] = TABLE, required: Sequence[str] = ()
) -> HeaderMatch:
    dialect = Dialect(name="orders", target="orders", surplus=surplus, columns=ORDERS.columns)
    return match_header(names, dialect=dialect, table_columns=table, required=required, artefact="orders.csv")


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("id", "id"),
        (" ID ", "id"),
        ("\ufeffid", "id"),
        ("order id", "id"),
        ("#", "id"),
        ("Total\u00a0", "amount"),
        ("note", "Note"),
    ],
)
def test_name_is_matched_exactly_by_case_or_by_alias(name: str, column: str) -> None:
    header = (name,) if column == "id" else ("id", name)
    assert match(*header).targets[-1] == column


def test_exact_name_wins_over_case_and_alias() -> None:
    assert match("id", "ID", "Total", table=("id", "ID", "Total", "amount")).targets == ["id", "ID", "Total"]


def test_reordered_header_is_matched_with_what_is_missing() -> None:
    matched = match("ordered_on", "id")
    assert matched == HeaderMatch(targets=["ordered_on", "id"], added=[], rescued=[], missing=["amount", "Note"])


@given(st.permutations(TABLE))
def test_order_of_a_full_header_does_not_matter(names: list[str]) -> None:
    assert match(*names).targets == names


def test_refusal_names_all_problems() -> None:
    with pytest.raises(HeaderRefused) as caught:
        match("Amount", "Total", "", "ordered", " ", "nosuch", required=("ordered_on",))
    assert str(caught.value) == (
        "The header of orders.csv does not match orders: column 3, 5 has no name;"
        " 'Amount' and 'Total' are the same column; unknown column 'ordered' (the nearest is 'ordered_on');"
        " unknown column 'nosuch'; missing column 'id'; missing column 'ordered_on'."
        " Correct the file, or declare its columns in a dialect."
    )


@pytest.mark.parametrize("surplus", list(Surplus))
def test_duplicate_name_is_refused_for_any_surplus(surplus: Surplus) -> None:
    with pytest.raises(HeaderRefused, match="'extra' and 'Extra' are the same column"):
        match("id", "extra", "Extra", surplus=surplus)


def test_empty_header_is_refused() -> None:
    with pytest.raises(HeaderRefused, match="it is empty"):
        match()


def test_column_that_neither_table_nor_file_has_is_missing() -> None:
    with pytest.raises(HeaderRefused, match="missing column 'id'"):
        match("amount", table=("amount",))


def test_surplus_column_is_added_with_its_trimmed_name() -> None:
    matched = match("id", " Color ", surplus=Surplus.ADD)
    assert (matched.targets, matched.added, matched.rescued) == (["id", "Color"], ["Color"], [])


def test_added_name_that_postgresql_would_truncate_is_refused() -> None:
    with pytest.raises(HeaderRefused, match="cannot be a column's name"):
        match("id", "ł" * 32, surplus=Surplus.ADD)


def test_surplus_column_is_rescued_with_its_spelling() -> None:
    matched = match(" Color ", "id", surplus=Surplus.RESCUE)
    assert (matched.targets, matched.added, matched.rescued) == ([None, "id"], [], [" Color "])


def test_name_that_fits_two_columns_by_case_is_unknown() -> None:
    with pytest.raises(HeaderRefused, match="unknown column 'NOTE'"):
        match("id", "NOTE", table=("id", "Note", "note"))


RETURNS = Dialect(
    name="returns", columns=(Column(name="id", required=True), Column(name="reason", required=True), Column(name="by"))
)


def test_dialect_is_chosen_by_required_and_most_matched_columns() -> None:
    assert auto_dialect(lambda _: ["ID", "Reason", "by"], [ORDERS, RETURNS]) == RETURNS
    assert auto_dialect(lambda _: ["Total", "#"], [RETURNS, ORDERS]) == ORDERS


@pytest.mark.parametrize(
    "dialects", [[], [RETURNS], [Dialect(name="generic")], [Dialect(name="x", columns=(Column(name="id"),))]]
)
def test_no_dialect_is_chosen_without_its_required_columns(dialects: list[Dialect]) -> None:
    assert auto_dialect(lambda _: ["id", "amount"], dialects) is None


def test_two_dialects_that_fit_equally_are_refused() -> None:
    twin = Dialect(name="invoices", columns=ORDERS.columns)
    with pytest.raises(AmbiguousHeader, match="fits the dialects invoices and orders equally well"):
        auto_dialect(lambda _: ["id", "total"], [ORDERS, twin])


def test_dialect_separates_the_names_of_its_header_itself() -> None:
    def names(dialect: Dialect) -> list[str]:
        return "id;reason".split(dialect.delimiter)

    semicolon = Dialect(name="semicolon", delimiter=";", columns=RETURNS.columns)
    assert auto_dialect(names, [ORDERS, RETURNS, semicolon]) == semicolon
