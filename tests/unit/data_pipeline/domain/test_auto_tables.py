"""The name, the delimiter and the columns of the table that a file gets with `--table auto`."""

import pytest

from data_pipeline.domain.auto_tables import likely_delimiter, new_columns, table_name, with_header
from data_pipeline.domain.dialects import Column, Dialect, Pii, Rule
from data_pipeline.errors import HeaderRefused


@pytest.mark.parametrize(
    ("file_name", "expected"),
    [
        ("orders.csv", "orders"),
        ("Orders 2025-01-31.csv.gz", "orders"),
        ("orders_7.xlsx", "orders"),
        ("q1.csv", "q1"),
        ("Łódź & Co.csv", "łódź_co"),
        ("2025-01-31.csv", "file_2025_01_31"),
        ("7.csv", "file_7"),
        ("---.csv", "file"),
        ('a";DROP TABLE b.csv', "a_drop_table_b"),
        ("x" * 80 + ".csv", "x" * 63),
    ],
)
def test_table_is_named_after_the_file(file_name: str, expected: str) -> None:
    assert table_name(file_name) == expected


@pytest.mark.parametrize(
    ("header", "expected"), [("a", ","), ("a;b,c;d", ";"), ("a\tb", "\t"), ('"a,b";c', ";"), ("a|b|c", "|"), ("", ",")]
)
def test_delimiter_is_that_between_most_names(header: str, expected: str) -> None:
    assert likely_delimiter(header) == expected


def test_header_gives_safe_columns_with_their_spellings() -> None:
    dialect = with_header(Dialect(name="auto"), ["id", "Order Date", "load_id", "ctid"], target="a.b", artefact="f")
    assert [(column.name, *column.aliases) for column in dialect.columns] == [
        ("id",),
        ("order_date", "Order Date"),
        ("load_id_", "load_id"),
        ("ctid_", "ctid"),
    ]
    assert dialect.target == "a.b"


def test_declared_columns_keep_their_names_and_types() -> None:
    declared = Dialect(
        name="d",
        columns=(
            Column(name="total", aliases=("Sum",), rule=Rule.CURRENCY),
            Column(name="code", type="char(3)"),
            Column(name="email", pii=Pii.HASH, rule=Rule.LOWER),
        ),
    )
    names = ["Sum", "n", "email"]
    dialect = with_header(declared, names, target="a.b", artefact="f")
    columns = new_columns(dialect, names, [["€ 5", "1", "x"], ["7", "2", "y"]], artefact="f")
    assert {one.name: one.type for one in columns} == {
        "total": "numeric",
        "code": "char(3)",
        "email": "text",
        "n": "bigint",
    }


def test_inconclusive_columns_are_text() -> None:
    names = ["mixed", "empty", "local", "day", "price"]
    dialect = with_header(Dialect(name="auto"), names, target="a.b", artefact="f")
    sample = [["1", "", "31.12.2024", "2024-12-31", "1.5"], ["x", "", "30.11.2024", "2024-11-30", ""]]
    types = [one.type for one in new_columns(dialect, names, sample, artefact="f")]
    assert types == ["text", "text", "text", "date", "numeric"]


def test_headings_with_one_safe_name_are_refused() -> None:
    with pytest.raises(HeaderRefused, match="'a_b'"):
        with_header(Dialect(name="auto"), ["a b", "a-b"], target="a.b", artefact="f")
