"""Files of a dialect are loaded with their canonical values, and refused values are kept as in the file."""

import hmac
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from data_pipeline.errors import NormalizingNeedsUtf8, PiiKeyMissing, TooManyRejects
from data_pipeline.models import LoadLog, LoadReject
from data_pipeline.postgres import normalized_texts
from data_pipeline.services.load_file import load_file
from data_pipeline.services.load_options import Loaded
from tests.conftest import sql

pytestmark = pytest.mark.usefixtures("load_tables")
KEY = "0123456789abcdef0123456789abcdef"
DIALECT = """
target = "landing.sales"
delimiter = ";"
decimal_mark = ","
date_formats = ["%d.%m.%Y"]
null_words = ["k.A."]
key = ["id"]

[columns.id]
[columns.sold_on]
rule = "date"
required = true
[columns.amount]
rule = "currency"
currency = "EUR"
[columns.buyer]
"""
Load = Callable[..., Loaded]


@pytest.fixture
def load(load_tables: None, tmp_path: Path) -> Load:
    """Loads records of a CSV text by a dialect, into the table landing.sales."""
    sql("CREATE TABLE landing.sales (id integer PRIMARY KEY, sold_on date NOT NULL, amount numeric(9,2), buyer text)")

    def load(records: str, *, dialect: str = DIALECT, **options: Any) -> Loaded:
        (tmp_path / "dialect.toml").write_text(dialect)
        (tmp_path / "sales.csv").write_text(f"id;sold_on;amount;buyer\n{records}")
        return load_file(str(tmp_path / "sales.csv"), dialect=str(tmp_path / "dialect.toml"), **options)

    return load


def rows() -> list[tuple[object, ...]]:
    return sql("SELECT id, sold_on::text, amount::text, buyer FROM landing.sales ORDER BY id")


def problems() -> dict[int, list[tuple[object, ...]]]:
    """The rejects by physical line."""
    return {
        one.line_no: [(each["column"], each["sqlstate"], each["value"]) for each in one.problems]
        for one in LoadReject.objects.all()
    }


@pytest.mark.parametrize("mode", ["append", "upsert", "snapshot"])
def test_values_are_loaded_in_their_canonical_form(load: Load, mode: str) -> None:
    loaded = load('1;31.1.2025;"1.234,50 €";Ann\n2;01.02.2025;(5,00);" k.A. "\n3;1.3.2025;k.A.;\n', mode=mode)
    assert rows() == [
        (1, "2025-01-31", "1234.50", "Ann"),
        (2, "2025-02-01", "-5.00", None),
        (3, "2025-03-01", None, None),
    ]
    assert (loaded.counts.rows_in, loaded.counts.rows_inserted, loaded.counts.rows_rejected) == (3, 3, 0)


@pytest.mark.parametrize("mode", ["append", "upsert"])
def test_refused_values_are_kept_as_in_the_file(load: Load, mode: str) -> None:
    records = "1;31.1.2025;1,5;Ann\nx;30.2.2025;$ 5;Bo\n3;;12,345,6;C\n4;1.1.2025;12345678,5;D\n\n5;today;1;E\n"
    loaded = load(records, mode=mode, max_rejects=9)
    assert rows() == [(1, "2025-01-31", "1.50", "Ann")]
    assert problems() == {
        3: [("id", "22P02", "x"), ("sold_on", "22023", "30.2.2025"), ("amount", "22023", "$ 5")],
        4: [("sold_on", "23502", None), ("amount", "22023", "12,345,6")],
        5: [("amount", "22003", "12345678,5")],
        7: [("sold_on", "22023", "today")],
    }
    assert [bytes(one.raw) for one in LoadReject.objects.filter(line_no=3)] == [b"x;30.2.2025;$ 5;Bo"]
    assert (loaded.counts.rows_in, loaded.counts.rows_rejected) == (5, 4)


def test_reason_begins_with_its_word(load: Load) -> None:
    load("1;30.2.2025;$ 5;Bo\n", max_rejects=1)
    assert [one["reason"] for one in LoadReject.objects.get().problems] == [
        "no_such_date: the date or time does not exist",
        "other_currency: the amount is of another currency than EUR",
    ]


def test_normalized_rows_and_errors_are_counted_by_reason(load: Load) -> None:
    with pytest.raises(TooManyRejects, match="unknown_date_format"):
        load("1;1.1.2025;1;A\n2;1/1/2025;1;B\n3;1.1.2025;many;C\n4;1.1.25;1;D\n")
    meta = LoadLog.objects.get().payload_meta
    assert meta["rows_normalized"] == 1
    assert meta["normalize_errors"] == {"unknown_date_format": 2, "not_a_number": 1}
    assert rows() == []


def test_repeated_key_in_normalized_values_is_rejected(load: Load) -> None:
    load("1;1.1.2025;1;A\n1;2.1.2025;2;B\n", mode="upsert", max_rejects=1)
    assert problems() == {3: [("id", "23505", None)]}


def test_upsert_of_the_same_values_changes_nothing(load: Load) -> None:
    load("1;1.1.2025;1,50;A\n", mode="upsert")
    loaded = load("1;01.01.2025;€ 1,5;A\n", mode="upsert", force=True)
    assert (loaded.counts.rows_unchanged, loaded.counts.rows_updated) == (1, 0)


def test_null_words_alone_leave_other_chunks_to_copy(load: Load) -> None:
    dialect = 'target = "landing.sales"\ndelimiter = ";"\nnull_words = ["N/A"]\n'
    load("1;2025-01-01;5;n/a\n", dialect=dialect)
    load("2;2025-01-01;N/A;N/A\n", dialect=dialect)
    assert rows() == [(1, "2025-01-01", "5.00", "n/a"), (2, "2025-01-01", None, None)]
    counts = LoadLog.objects.order_by("id").values_list("payload_meta__rows_normalized", flat=True)
    assert list(counts) == [0, 1]


def _with_pii(pii: str) -> str:
    return f'{DIALECT}pii = "{pii}"\n'


@pytest.mark.parametrize(
    ("pii", "stored"),
    [
        ("drop", None),
        ("mask", "xxx xxxx 9"),
        ("hash", hmac.digest(KEY.encode(), b"Ann Boyd 7", "sha256").hex()),
    ],
)
def test_personal_values_are_not_stored(
    load: Load, monkeypatch: pytest.MonkeyPatch, pii: str, stored: str | None
) -> None:
    monkeypatch.setenv("DATA_PIPELINE_PII_HASH_KEY", KEY)
    load("1;1.1.2025;1;Ann Boyd 7\n2;1.1.2025;x;Ann Boyd 7\n", dialect=_with_pii(pii), max_rejects=1)
    assert rows() == [(1, "2025-01-01", "1.00", stored)]
    reject = LoadReject.objects.get()
    assert b"Ann" not in bytes(reject.raw)
    assert bytes(reject.raw) == b"2;1.1.2025;x;" + (stored or "").encode()
    assert (reject.problems[0]["column"], reject.problems[0]["value"]) == ("amount", "x")


def test_personal_values_of_malformed_records_are_hidden(load: Load) -> None:
    load("1;1.1.2025;1;Ann;surplus\n2;1.1.2025;1;B\n", dialect=_with_pii("mask"), max_rejects=1)
    assert bytes(LoadReject.objects.get().raw) == b"9;9.9.9999;9;xxx;xxxxxxx"


def test_hash_without_a_key_is_refused(load: Load) -> None:
    with pytest.raises(PiiKeyMissing, match="PII_HASH_KEY"):
        load("1;1.1.2025;1;Ann\n", dialect=_with_pii("hash"))


def test_database_in_another_encoding_is_refused(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    class Session:
        class info:  # noqa: N801  # the name of psycopg's attribute
            parameter_status = staticmethod(lambda _: "LATIN1")

    monkeypatch.setattr("seeder.postgres.sessions.driver_connection", lambda _: Session)
    with pytest.raises(NormalizingNeedsUtf8, match="LATIN1"):
        normalized_texts.require_utf8("default")
