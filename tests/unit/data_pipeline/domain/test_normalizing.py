from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_pipeline.domain.dialects import Column, Rule
from data_pipeline.domain.normalizing import (
    NormalizeError,
    NormalizeReason,
    normalize_currency,
    normalize_text,
    parse_bool,
    parse_date,
    parse_decimal,
    parse_timestamp,
    trim,
)


@pytest.mark.parametrize(
    ("text", "mark", "expected"),
    [
        ("1,234.56", ".", "1234.56"),
        ("1.234,56", ",", "1234.56"),
        ("€ 1.234,56", ",", "1234.56"),
        ("$1,234.50", ".", "1234.50"),
        ("(12.00)", ".", "-12.00"),
        ("1 234,56 zł", ",", "1234.56"),
        ("1\u202f234,56\u00a0€", ",", "1234.56"),
        ("1\u2009234,56", ",", "1234.56"),
        ("1'234.50", ".", "1234.50"),
        ("CHF 1\u2019234.50", ".", "1234.50"),
        ("-5", ".", "-5"),
        ("- 5", ".", "-5"),
        ("+5", ".", "5"),
        ("5-", ".", "-5"),
        ("5 € -", ".", "-5"),
        ("-$5", ".", "-5"),
        ("$-5", ".", "-5"),
        ("$(5)", ".", "-5"),
        ("(5 EUR)", ".", "-5"),
        ("(USD 5)", ".", "-5"),
        ("USD 7.10", ".", "7.10"),
        ("7.10USD", ".", "7.10"),
        ("1.234", ",", "1234"),
        ("1.234", ".", "1.234"),
        ("\u22123.50", ".", "-3.50"),
        (".5", ".", "0.5"),
        ("\u00a0 12 \ufeff", ".", "12"),
        ("1,234,567,890.01", ".", "1234567890.01"),
    ],
)
def test_amount_is_parsed_exactly(text: str, mark: str, expected: str) -> None:
    assert str(normalize_currency(text, decimal_mark=mark)) == expected


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", NormalizeReason.EMPTY),
        (" \u00a0", NormalizeReason.EMPTY),
        ("12,34", NormalizeReason.WRONG_GROUPING),
        ("1,23,456.00", NormalizeReason.WRONG_GROUPING),
        ("0,123", NormalizeReason.WRONG_GROUPING),
        ("1,234 567", NormalizeReason.WRONG_GROUPING),
        ("1.2.3", NormalizeReason.WRONG_GROUPING),
        ("5.", NormalizeReason.WRONG_GROUPING),
        ("1.234,56", NormalizeReason.WRONG_GROUPING),
        ("1O.50", NormalizeReason.NOT_A_NUMBER),
        ("1e5", NormalizeReason.NOT_A_NUMBER),
        ("NaN", NormalizeReason.NOT_A_NUMBER),
        ("Infinity", NormalizeReason.NOT_A_NUMBER),
        ("0x10", NormalizeReason.NOT_A_NUMBER),
        ("1_000", NormalizeReason.NOT_A_NUMBER),
        ("\u0663", NormalizeReason.NOT_A_NUMBER),
        ("\uff15", NormalizeReason.NOT_A_NUMBER),
        ("--5", NormalizeReason.NOT_A_NUMBER),
        ("-5-", NormalizeReason.NOT_A_NUMBER),
        ("(-5)", NormalizeReason.NOT_A_NUMBER),
        ("(5", NormalizeReason.NOT_A_NUMBER),
        ("$", NormalizeReason.NOT_A_NUMBER),
        ("$5 USD", NormalizeReason.NOT_A_NUMBER),
        ("QTY 5", NormalizeReason.NOT_A_NUMBER),
        ("usd 5", NormalizeReason.NOT_A_NUMBER),
        ("5%", NormalizeReason.NOT_A_NUMBER),
        ("1\n234", NormalizeReason.NOT_A_NUMBER),
    ],
)
def test_amount_that_is_not_sure_is_refused(text: str, reason: NormalizeReason) -> None:
    with pytest.raises(NormalizeError) as caught:
        normalize_currency(text)
    assert caught.value.reason is reason


@pytest.mark.parametrize("text", ["5", "EUR 5", "5 €"])
def test_amount_of_the_declared_currency_is_accepted(text: str) -> None:
    assert normalize_currency(text, currency="EUR") == 5


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("USD 5", NormalizeReason.OTHER_CURRENCY),
        ("5 £", NormalizeReason.OTHER_CURRENCY),
        ("USD x", NormalizeReason.NOT_A_NUMBER),
        ("EUR 1,5", NormalizeReason.WRONG_GROUPING),
    ],
)
def test_amount_of_another_currency_is_refused(text: str, reason: NormalizeReason) -> None:
    with pytest.raises(NormalizeError) as caught:
        normalize_currency(text, currency="EUR")
    assert caught.value.reason is reason


def test_decimal_has_no_currency() -> None:
    assert parse_decimal("(1,234.50)") == Decimal("-1234.50")
    with pytest.raises(NormalizeError, match="'€ 5': not a number"):
        parse_decimal("€ 5")


@pytest.mark.parametrize(
    ("group_mark", "text", "accepted"),
    [
        (None, "1'234", True),
        (",", "1,234", True),
        (",", "1'234", False),
        (" ", "1\u202f234", True),
        ("", "1,234", False),
        ("", "1234", True),
    ],
)
def test_declared_group_mark_is_the_only_one(group_mark: str | None, text: str, *, accepted: bool) -> None:
    if accepted:
        assert parse_decimal(text, group_mark=group_mark) == 1234
    else:
        with pytest.raises(NormalizeError):
            parse_decimal(text, group_mark=group_mark)


@given(
    st.decimals(allow_nan=False, allow_infinity=False, places=2, min_value=-(10**12), max_value=10**12),
    st.sampled_from([(".", ","), (".", "'"), (",", "."), (",", " "), (",", "\u202f"), (".", "")]),
    st.sampled_from(["{}", "EUR {}", "{} €", "${}", " {}\u00a0"]),
)
def test_written_amount_is_read_back(value: Decimal, marks: tuple[str, str], template: str) -> None:
    decimal_mark, group_mark = marks
    plain = f"{value:,.2f}".replace(",", "g").replace(".", decimal_mark).replace("g", group_mark)
    assert normalize_currency(template.format(plain), decimal_mark=decimal_mark) == value


@given(st.text("0123456789.,-+()' e_€NaINFx\u0663\u22122", max_size=8))
def test_plain_decimal_means_the_same_to_python(text: str) -> None:
    try:
        parsed = parse_decimal(text, group_mark="")
    except NormalizeError:
        return
    negative = "-" in text or "(" in text or "\u2212" in text
    bare = text.replace("\u2212", "").strip("-+() ")
    assert parsed == (-Decimal(bare) if negative else Decimal(bare))


@pytest.mark.parametrize(
    ("text", "formats", "expected"),
    [
        ("2025-12-31", (), date(2025, 12, 31)),
        (" 31.12.2025 ", ("%d.%m.%Y",), date(2025, 12, 31)),
        ("2025-12-31", ("%d.%m.%Y", "%Y-%m-%d"), date(2025, 12, 31)),
        ("29.02.2024", ("%d.%m.%Y",), date(2024, 2, 29)),
        ("Dec 31, 2025", ("%b %d, %Y",), date(2025, 12, 31)),
    ],
)
def test_date_of_a_declared_format_is_parsed(text: str, formats: tuple[str, ...], expected: date) -> None:
    assert parse_date(text, formats) == expected


@pytest.mark.parametrize(
    ("text", "formats", "reason"),
    [
        ("", (), NormalizeReason.EMPTY),
        ("01/02/2025", (), NormalizeReason.UNKNOWN_DATE_FORMAT),
        ("31.12.2025", (), NormalizeReason.UNKNOWN_DATE_FORMAT),
        ("2025-W05", (), NormalizeReason.UNKNOWN_DATE_FORMAT),
        ("20251231", (), NormalizeReason.UNKNOWN_DATE_FORMAT),
        ("5", (), NormalizeReason.UNKNOWN_DATE_FORMAT),
        ("today", (), NormalizeReason.UNKNOWN_DATE_FORMAT),
        ("infinity", (), NormalizeReason.UNKNOWN_DATE_FORMAT),
        ("2025-12-31 10:00", (), NormalizeReason.UNKNOWN_DATE_FORMAT),
        ("2025-12-31", ("%d.%m.%Y",), NormalizeReason.UNKNOWN_DATE_FORMAT),
        ("2026-02-30", (), NormalizeReason.NO_SUCH_DATE),
        ("2025-02-29", (), NormalizeReason.NO_SUCH_DATE),
        ("0000-01-01", (), NormalizeReason.NO_SUCH_DATE),
        ("31.04.2025", ("%d.%m.%Y",), NormalizeReason.NO_SUCH_DATE),
        ("12/31/2025", ("%d/%m/%Y",), NormalizeReason.NO_SUCH_DATE),
    ],
)
def test_date_of_no_declared_format_is_refused(text: str, formats: tuple[str, ...], reason: NormalizeReason) -> None:
    with pytest.raises(NormalizeError) as caught:
        parse_date(text, formats)
    assert caught.value.reason is reason


def test_timestamp_keeps_its_offset_or_is_naive() -> None:
    east = timezone(timedelta(hours=2))
    assert parse_timestamp("2025-12-31T10:00:00.5+02:00") == datetime(2025, 12, 31, 10, 0, 0, 500000, east)
    assert parse_timestamp("2025-12-31 10:00Z") == datetime(2025, 12, 31, 10, tzinfo=UTC)
    assert parse_timestamp("31.12.2025 10:00", ["%d.%m.%Y %H:%M"]) == datetime(2025, 12, 31, 10)  # noqa: DTZ001


@pytest.mark.parametrize("text", ["2025-12-31 24:00", "2025-12-31T23:59:60", "2025-12-31 10:60"])
def test_time_of_another_day_or_minute_is_refused(text: str) -> None:
    with pytest.raises(NormalizeError, match="no such date"):
        parse_timestamp(text)


@pytest.mark.parametrize(
    ("text", "expected"), [("TRUE", True), (" t ", True), ("on", True), ("0", False), ("No", False)]
)
def test_boolean_words_are_parsed(text: str, *, expected: bool) -> None:
    assert parse_bool(text) is expected


@pytest.mark.parametrize(("text", "reason"), [("ja", NormalizeReason.NOT_A_BOOLEAN), (" ", NormalizeReason.EMPTY)])
def test_other_word_is_not_a_boolean(text: str, reason: NormalizeReason) -> None:
    with pytest.raises(NormalizeError) as caught:
        parse_bool(text)
    assert caught.value.reason is reason


def test_trim_removes_spaces_of_any_kind() -> None:
    assert trim("\ufeff\u00a0 a b\u2003\r\n") == "a b"


@pytest.mark.parametrize(
    ("column", "text", "expected"),
    [
        (Column(name="c"), " a ", " a "),
        (Column(name="c"), "", ""),
        (Column(name="c", rule=Rule.TRIM), " a ", "a"),
        (Column(name="c", rule=Rule.TRIM), " ", None),
        (Column(name="c", rule=Rule.UPPER), "łódź straße", "ŁÓDŹ STRAßE"),
        (Column(name="c", rule=Rule.LOWER), "ŁÓDŹ ΟΔΟΣ", "łódź οδοσ"),
        (Column(name="c", rule=Rule.BOOLEAN), "Yes", "true"),
        (Column(name="c", rule=Rule.MAP, values={" Ja": "true", "-": ""}), "JA", "true"),
        (Column(name="c", rule=Rule.MAP, values={" Ja": "true", "-": ""}), "-", None),
        (Column(name="c", rule=Rule.DECIMAL, decimal_mark=","), "007,50", "007.50"),
        (Column(name="c", rule=Rule.CURRENCY, currency="EUR"), "EUR -5", "-5"),
        (Column(name="c", rule=Rule.DATE, formats=("%d.%m.%Y",)), "1.2.2025", "2025-02-01"),
        (Column(name="c", rule=Rule.TIMESTAMP), "2025-02-01T10:00", "2025-02-01 10:00"),
        (Column(name="c", rule=Rule.DECIMAL), " N/A ", None),
        (Column(name="c"), "N/A", None),
    ],
)
def test_value_is_normalized_by_the_rule_of_its_column(column: Column, text: str, expected: str | None) -> None:
    assert normalize_text(text, column, null_words=("N/A",)) == expected


def test_value_that_is_not_mapped_is_refused() -> None:
    with pytest.raises(NormalizeError, match="'oui': not in map"):
        normalize_text("oui", Column(name="c", rule=Rule.MAP, values={"ja": "true"}))
