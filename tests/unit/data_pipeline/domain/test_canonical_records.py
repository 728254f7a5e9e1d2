"""Records that are copied are those that the rules leave unchanged."""

import csv
import io
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_pipeline.domain.canonical_records import SILVER, CanonicalRecords
from data_pipeline.domain.csv_fields import CsvFormat, parse_fields
from data_pipeline.domain.dialects import Column, Pii, Rule
from data_pipeline.domain.normalizing import NormalizeError, normalize_text
from data_pipeline.domain.record_normalizer import RecordNormalizer

NULL_WORDS = ["N/A", "-", 'a"b']
COLUMNS = [
    Column(name="plain"),
    Column(name="trimmed", rule=Rule.TRIM),
    Column(name="upper", rule=Rule.UPPER),
    Column(name="lower", rule=Rule.LOWER),
    Column(name="price", rule=Rule.DECIMAL),
    Column(name="comma", rule=Rule.DECIMAL, decimal_mark=","),
    Column(name="amount", rule=Rule.CURRENCY, currency="EUR"),
    Column(name="day", rule=Rule.DATE),
    Column(name="german", rule=Rule.DATE, formats=("%d.%m.%Y",)),
    Column(name="both", rule=Rule.DATE, formats=("%d.%m.%Y", "%Y-%m-%d")),
    Column(name="instant", rule=Rule.TIMESTAMP),
    Column(name="flag", rule=Rule.BOOLEAN),
    Column(name="word", rule=Rule.MAP, values={"ja": "yes", "yes": "yes", "x": "", "b;c": "b;c"}),
    Column(name="secret", pii=Pii.MASK),
]
WORDS = """7 007 -7 +7 1.5 -1.50 .5 1,5 1,234 1.234 1234567 EUR 1e5 NaN yes ja x b;c
true false t Ä ä ß İ ǅ A a N/A - 2024-02-29 2023-02-29 0000-01-01 29.02.2024 2024-01-02T10:00:00Z 24:00"""
VALUES = st.one_of(
    st.sampled_from(WORDS.split()),
    st.sampled_from(
        ["2024-01-02 10:00:00", "2024-01-02 24:00:00", "\xa0a", "a\u3000", " a", "a b", "", 'say "hi"', "a\nb"]
    ),
    st.text(max_size=4).filter(lambda text: "\0" not in text),
)


def record(values: Sequence[str], *, delimiter: str = ",", quote: str = '"') -> bytes:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, quotechar=quote, lineterminator="\n").writerow(values)
    return text.getvalue().encode("utf-8", "replace")


@given(
    st.lists(VALUES, min_size=len(COLUMNS), max_size=len(COLUMNS)),
    st.sampled_from([(",", '"'), (";", '"'), ("\t", "'")]),
)
def test_copied_record_has_the_values_of_the_rules(values: list[str], separators: tuple[str, str]) -> None:
    delimiter, quote = separators
    csv_format = CsvFormat(delimiter=delimiter.encode(), quote=quote.encode())
    for column, value in zip(COLUMNS, values, strict=True):  # each alone, so that most are copied in some case
        data = record([value, "z"], delimiter=delimiter, quote=quote)
        copied = CanonicalRecords([column, Column(name="last")], NULL_WORDS, csv_format).copy(data)
        if copied is None:
            continue
        [before, _] = parse_fields(data[:-1], csv_format)
        [after, _] = parse_fields(copied.data[:-1], SILVER)
        expected = None if before is None else normalize_text(before, column, null_words=NULL_WORDS)
        assert (after, copied.number) == (expected, 1)
        assert column.pii is None or after is None


CANONICAL = {
    "plain": "any thing",
    "trimmed": "a b",
    "upper": "Ä-1",
    "lower": "ä-1",
    "price": "-12.50",
    "comma": "12",
    "amount": "0.5",
    "day": "2024-02-29",
    "both": "2024-02-28",
    "instant": "2024-01-02 10:00:00+01",
    "flag": "true",
    "word": "yes",
}


@pytest.mark.parametrize("name", CANONICAL)
def test_canonical_value_is_copied(name: str) -> None:
    [column] = [one for one in COLUMNS if one.name == name]
    records = CanonicalRecords([Column(name="first"), column], NULL_WORDS, SILVER)
    data = record(["a", CANONICAL[name]]) * 3 + record(["", ""])
    assert records.copy(data) == (data, 4)
    assert records.copy(record(['q"', CANONICAL[name]]) + data) is not None  # beside a quoted field


def test_other_separators_become_those_of_silver() -> None:
    records = CanonicalRecords([Column(name="a"), Column(name="b", rule=Rule.DECIMAL)], (), CsvFormat(delimiter=b";"))
    assert records.copy(b"x;1.5\n;\n") == (b"x,1.5\n,\n", 2)
    assert records.copy(b"x,y;1.5\n") is None


@pytest.mark.parametrize(
    "data",
    [b"a\n", b"a,b,c\n", b'"a,b\n', b'a"b",c\n', b"\xff,b\n", b"a\0,b\n", b"a\r,b\n", b"\n", b"a,N/A\n", b"a, - \n"],
)
def test_record_that_is_not_canonical_is_not_copied(data: bytes) -> None:
    records = CanonicalRecords([Column(name="a"), Column(name="b")], NULL_WORDS, SILVER)
    assert records.copy(b"x,y\n") == (b"x,y\n", 1)
    assert records.copy(b"x,y\n" + data) is None


def test_word_for_null_is_copied_inside_of_other_text() -> None:
    records = CanonicalRecords([Column(name="a"), Column(name="day", rule=Rule.DATE)], NULL_WORDS, SILVER)
    assert records.copy(b"see N/A,2024-01-02\n") == (b"see N/A,2024-01-02\n", 1)


@given(st.lists(st.lists(VALUES, min_size=len(COLUMNS) - 1, max_size=len(COLUMNS) - 1), min_size=1, max_size=3))
def test_record_is_normalized_or_every_refused_column_is_named(rows: list[list[str]]) -> None:
    columns = COLUMNS[:-1]
    normalizer = RecordNormalizer(columns, NULL_WORDS, SILVER)
    for values in rows:
        given_values = parse_fields(record(values)[:-1], SILVER)
        expected: list[str | None] = []
        refused = []
        for column, value in zip(columns, given_values, strict=True):
            try:
                expected.append(None if value is None else normalize_text(value, column, null_words=NULL_WORDS))
            except NormalizeError:
                refused.append(column.name)
        found = normalizer.normalize(record(values)[:-1])
        if refused:
            assert not isinstance(found, bytes)
            assert [one.column for one in found] == refused
        else:
            assert isinstance(found, bytes)
            assert parse_fields(found[:-1], SILVER) == expected
