"""Python and PostgreSQL normalize the same texts to the same values, and refuse the same with the same reasons."""

from collections.abc import Collection, Iterator, Sequence
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql
from pytest_django import DjangoDbBlocker

from data_pipeline.domain.case_folding import LOWER_OF, SPACES, UPPER_OF
from data_pipeline.domain.dialects import Column, Rule
from data_pipeline.domain.normalizing import NormalizeError, normalize_text
from data_pipeline.postgres.normalizing_sql import canonical_text, refusal_reason
from tests.conftest import another_session

Outcome = tuple[str | None, str | None]  # the canonical text, and the reason of a refusal

COLUMNS = (
    Column(name="plain"),
    Column(name="trim", rule=Rule.TRIM),
    Column(name="upper", rule=Rule.UPPER),
    Column(name="lower", rule=Rule.LOWER),
    Column(name="boolean", rule=Rule.BOOLEAN),
    Column(name="map", rule=Rule.MAP, values={"Ja": "50%", "nein": "false", "-": "", "ŁÓDŹ": "%s"}),
    Column(name="decimal", rule=Rule.DECIMAL),
    Column(name="comma", rule=Rule.DECIMAL, decimal_mark=","),
    Column(name="point_groups", rule=Rule.DECIMAL, decimal_mark=",", group_mark="."),
    Column(name="space_groups", rule=Rule.DECIMAL, decimal_mark=",", group_mark=" "),
    Column(name="no_groups", rule=Rule.DECIMAL, group_mark=""),
    Column(name="currency", rule=Rule.CURRENCY),
    Column(name="euro", rule=Rule.CURRENCY, decimal_mark=",", currency="EUR"),
    Column(name="dollar", rule=Rule.CURRENCY, currency="USD"),
    Column(name="iso_date", rule=Rule.DATE),
    Column(name="date", rule=Rule.DATE, formats=("%d.%m.%Y", "%d-%b-%Y", "%B %d, %Y", "%Y%m%d")),
    Column(name="iso_timestamp", rule=Rule.TIMESTAMP),
    Column(
        name="timestamp",
        rule=Rule.TIMESTAMP,
        formats=("%d.%m.%Y %H:%M", "%d.%m.%Y %H:%M:%S.%f%z", "%m/%d/%Y %I:%M:%S %p", "%d %b %Y %H", "%Y%m%d%H%M%S"),
    ),
)
NULL_WORDS = ("N/A", "100 %")

words = st.sampled_from(
    [
        "true",
        "F",
        "on",
        "YES",
        "ja",
        "NEIN",
        "łódź",
        "N/A",
        "100 %",
        "-",
        "",
        " ",
        "%s",
        "now",
        "today",
        "infinity",
        "NaN",
    ]
)
numbers = st.text("0123456789.,-+()' €$\u00a0\u202f\u2019\u2212\u0663eE_", max_size=12)
signed = st.tuples(
    st.sampled_from(["", "-", "+", "(", "€", "$ ", "-€", "EUR ", "USD", "£-", "zł ", "kr", "- "]),
    st.from_regex(r"\A[0-9]{1,3}([.,' \u00a0][0-9]{2,3}){0,3}([.,][0-9]{0,3})?\Z"),
    st.sampled_from(["", "-", ")", " €", "€-", " USD", "$)", " zł", "Kč", " PLN", ")EUR"]),
).map("".join)
_date = (
    r"(([0-2]?[0-9]|3[0-2])[./-](0?[0-9]|1[0-3]|[Ff]eb|MAY)[./-][0-9]{4}"
    r"|[0-9]{4}-[01][0-9]-[0-3][0-9]|(february|May) [0-3]?[0-9], 20[0-9]{2})"
)
_time = r"([ T]([0-2]?[0-9])(:[0-6]?[0-9](:[0-6]?[0-9](\.[0-9]{1,7})?)?)?(Z|z|[+-][0-9]{2}:?[0-9]{2}| [apAP][mM])?)?"
dates = st.from_regex(rf"\A{_date}{_time}\Z")
_formats = ["%d.%m.%Y %H:%M", "%m/%d/%Y %I:%M:%S %p", "%d-%b-%Y", "%Y%m%d%H%M%S", "%Y-%m-%dT%H:%M"]
instants = st.datetimes().flatmap(lambda instant: st.sampled_from(_formats).map(instant.strftime))
unstorable = st.characters(exclude_characters="\0", exclude_categories=["Cs"])
letters = st.text(st.sampled_from([*LOWER_OF, *UPPER_OF, "a", "Z", "ß", "İ"]), max_size=5)
texts = words | numbers | signed | dates | instants | letters | st.text(unstorable, max_size=8)
padded = st.tuples(st.text(st.sampled_from(SPACES), max_size=2), texts, st.text(st.sampled_from(SPACES), max_size=2))
texts_of_rule = {
    Rule.DECIMAL: numbers | signed,
    Rule.CURRENCY: numbers | signed,
    Rule.DATE: dates | instants,
    Rule.TIMESTAMP: dates | instants,
    Rule.UPPER: letters,
    Rule.LOWER: letters,
}


@pytest.fixture(scope="module")
def session(django_databases: None, django_db_blocker: DjangoDbBlocker) -> Iterator[psycopg.Connection[Any]]:
    with django_db_blocker.unblock(), another_session() as opened:
        yield opened


@pytest.mark.parametrize("column", COLUMNS, ids=lambda column: column.name)
@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=st.data())
def test_python_and_postgresql_agree(session: psycopg.Connection[Any], column: Column, data: st.DataObject) -> None:
    typical = texts_of_rule.get(column.rule or Rule.TRIM, words)
    values = data.draw(st.lists(typical | texts | padded.map("".join), min_size=1, max_size=30))
    assert by_postgresql(session, column, values) == by_python(column, values)


@pytest.mark.parametrize(
    ("rule", "text", "expected"),
    [
        (Rule.CURRENCY, "1,234.50 €", "1234.50"),
        (Rule.DECIMAL, "(.5)", "-0.5"),
        (Rule.DATE, "2024-02-29", "2024-02-29"),
        (Rule.TIMESTAMP, "2024-02-29T10:00Z", "2024-02-29 10:00Z"),
        (Rule.UPPER, "łódź straße", "ŁÓDŹ STRAßE"),
        (Rule.BOOLEAN, "Off", "false"),
    ],
)
def test_value_is_normalized_by_postgresql(
    session: psycopg.Connection[Any], rule: Rule, text: str, expected: str
) -> None:
    assert by_postgresql(session, Column(name="c", rule=rule), [text]) == [(expected, None)]


@pytest.mark.parametrize(
    ("rule", "text", "reason"),
    [
        (Rule.CURRENCY, "USD 5", "other_currency"),
        (Rule.DECIMAL, "12,34", "wrong_grouping"),
        (Rule.DECIMAL, "1e5", "not_a_number"),
        (Rule.DATE, "2025-02-29", "no_such_date"),
        (Rule.DATE, "01/02/2025", "unknown_date_format"),
        (Rule.BOOLEAN, "ja", "not_a_boolean"),
        (Rule.MAP, "ja", "not_in_map"),
    ],
)
def test_value_is_refused_by_postgresql(session: psycopg.Connection[Any], rule: Rule, text: str, reason: str) -> None:
    column = Column(name="c", rule=rule, currency="EUR", values={"x": "y"})
    assert by_postgresql(session, column, [text]) == [(None, reason)]


def test_null_words_and_nulls_are_null(session: psycopg.Connection[Any]) -> None:
    for column in COLUMNS:
        assert by_postgresql(session, column, [" N/A ", None]) == [(None, None)] * 2


def test_canonical_dates_and_numbers_are_valid_in_postgresql(session: psycopg.Connection[Any]) -> None:
    column = Column(name="c", rule=Rule.TIMESTAMP, formats=("%d.%m.%Y %H:%M:%S.%f%z",))
    [(text, _)] = by_postgresql(session, column, ["1.2.2025 3:4:5.6-0230"])
    assert session.execute("SELECT %s::timestamptz = '2025-02-01 05:34:05.6Z'", [text]).fetchone() == (True,)


def by_python(column: Column, values: Sequence[str]) -> list[Outcome]:
    outcomes: list[Outcome] = []
    for value in values:
        try:
            outcomes.append((normalize_text(value, column, null_words=NULL_WORDS), None))
        except NormalizeError as error:
            outcomes.append((None, error.reason.value))
    return outcomes


def by_postgresql(
    session: psycopg.Connection[Any],
    column: Column,
    values: Sequence[str | None],
    null_words: Collection[str] = NULL_WORDS,
) -> list[Outcome]:
    text = sql.Identifier("row", "value")
    query = sql.SQL(
        "SELECT {}, {} FROM unnest(%(values)s::text[]) WITH ORDINALITY AS row (value, position) ORDER BY position"
    ).format(canonical_text(text, column, null_words=null_words), refusal_reason(text, column, null_words=null_words))
    return session.execute(query, {"values": list(values)}).fetchall()
