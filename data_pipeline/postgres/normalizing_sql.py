"""The rules of `data_pipeline.domain.normalizing` as expressions over a column of type text.

No expression raises an error for any text. Comparisons have the collation "C", so that they do not depend on the
database. Intermediate results are named in subqueries with OFFSET 0, which PostgreSQL evaluates once.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Final

from psycopg import sql

from data_pipeline.domain.case_folding import LOWER_OF, SPACES, UPPER_OF, fold
from data_pipeline.domain.dialects import Column, Rule
from data_pipeline.domain.normalizing import FALSE_WORDS, ISO_PATTERNS, TRUE_WORDS, NormalizeReason
from data_pipeline.domain.number_patterns import (
    PLAIN_FROM,
    PLAIN_TO,
    NumberPatterns,
    amount_patterns,
    number_patterns,
)
from data_pipeline.postgres.date_format_sql import iso_text
from data_pipeline.postgres.sql_literals import is_one_of, matches, text_literal

_VALUE = sql.Identifier("trimmed", "value")
_FORM = sql.Identifier("read", "form")  # the value in the form that the rule judges
_NULL = sql.SQL("NULL::text")


def canonical_text(text: sql.Composable, column: Column, *, null_words: Collection[str] = ()) -> sql.Composed:
    """Return the expression of the text that PostgreSQL reads for a value.

    It is NULL for NULL and for a refused value.
    """
    if column.rule is None:
        return _unless_null_word(text, null_words)
    return _evaluated(text, column, _CANONICALS[column.rule](column), null_words=null_words)


def can_be_refused(column: Column) -> bool:
    """Return whether the rule of a column refuses some text."""
    return column.rule in _REASONS


def refusal_reason(text: sql.Composable, column: Column, *, null_words: Collection[str] = ()) -> sql.Composed:
    """Return the reason why a value is refused, in SQL.

    It is a `NormalizeReason`. It is NULL for a good value.
    """
    if column.rule is None or not can_be_refused(column):
        return sql.Composed([_NULL])
    return _evaluated(text, column, _REASONS[column.rule](column), null_words=null_words)


def _unless_null_word(text: sql.Composable, null_words: Collection[str]) -> sql.Composed:
    if not null_words:
        return sql.Composed([text])
    is_null = is_one_of(_trimmed(text), sorted(null_words))
    return sql.SQL("CASE WHEN {} THEN NULL ELSE {} END").format(is_null, text)


def _evaluated(
    text: sql.Composable, column: Column, result: sql.Composable, *, null_words: Collection[str]
) -> sql.Composed:
    """Return the result, or NULL if the text means NULL.

    An empty text does, after it is trimmed.
    """
    return sql.SQL(
        "(SELECT CASE WHEN NOT {is_null} THEN {result} END"
        " FROM (SELECT {value} AS value OFFSET 0) AS trimmed"
        " CROSS JOIN LATERAL (SELECT {form} AS form OFFSET 0) AS read)"
    ).format(
        is_null=is_one_of(_VALUE, ["", *sorted(null_words)]),
        result=result,
        value=_trimmed(text),
        form=_form(column),
    )


def _trimmed(text: sql.Composable) -> sql.Composed:
    return sql.SQL('(btrim({}, {}) COLLATE "C")').format(text, text_literal(SPACES))


def _form(column: Column) -> sql.Composable:
    match column.rule:
        case Rule.DECIMAL:
            return _plain(_VALUE)
        case Rule.CURRENCY:
            return _without_currency(_plain(_VALUE), _patterns(column))
        case Rule.DATE | Rule.TIMESTAMP as rule:
            return _iso_form(column, shape=ISO_PATTERNS[rule][0])
        case Rule.MAP:
            return _cased(_VALUE, sql.SQL("lower"), LOWER_OF)
        case _:
            return _VALUE


def _cased(text: sql.Composable, function: sql.SQL, others: Mapping[str, str]) -> sql.Composed:
    """Return a text in upper or lower case by `case_folding`.

    For letters beyond ASCII, the functions of the server depend on its locale.
    """
    return sql.SQL(
        "CASE WHEN octet_length({text}) = char_length({text}) THEN {function}({text})"
        " ELSE translate({function}({text}), {letters}, {cased}) END"
    ).format(
        text=text,
        function=function,
        letters=text_literal("".join(others)),
        cased=text_literal("".join(others.values())),
    )


def _plain(text: sql.Composable) -> sql.Composed:
    return sql.SQL("translate({}, {}, {})").format(text, text_literal(PLAIN_FROM), text_literal(PLAIN_TO))


def _without_currency(plain: sql.Composable, patterns: NumberPatterns) -> sql.Composed:
    return sql.SQL(
        "(SELECT CASE WHEN plain.value !~ {mark} THEN plain.value"
        " WHEN plain.value ~ {leading} THEN regexp_replace(plain.value, {leading}, {sign})"
        " ELSE regexp_replace(plain.value, {trailing}, {sign}) END"
        " FROM (SELECT {plain} AS value OFFSET 0) AS plain)"
    ).format(
        mark=text_literal("[^-+0-9.,' ()]"),  # every currency has such a character
        leading=text_literal(patterns.leading_currency or ""),
        trailing=text_literal(patterns.trailing_currency or ""),
        sign=text_literal("\\1"),
        plain=plain,
    )


def _patterns(column: Column, *, is_any_currency: bool = False) -> NumberPatterns:
    if column.rule is Rule.DECIMAL:
        return number_patterns(decimal_mark=column.decimal_mark, group_mark=column.group_mark)
    currency = None if is_any_currency else column.currency
    return amount_patterns(decimal_mark=column.decimal_mark, group_mark=column.group_mark, currency=currency)


def _number(column: Column) -> sql.Composed:
    patterns = _patterns(column)
    return sql.SQL(
        "CASE WHEN {is_number} THEN CASE WHEN {form} ~ {minus} THEN {sign} ELSE '' END"
        " || regexp_replace(replace(regexp_replace({form}, {not_of_number}, '', 'g'), ',', '.'), {point}, {zero}) END"
    ).format(
        is_number=matches(_FORM, patterns.number),
        form=_FORM,
        minus=text_literal("[-(]"),
        sign=text_literal("-"),
        not_of_number=text_literal(patterns.not_of_number),
        point=text_literal("^[.]"),
        zero=text_literal("0."),
    )


def _number_reason(column: Column) -> sql.Composed:
    patterns = _patterns(column)
    branches = [sql.SQL("WHEN {} THEN NULL").format(matches(_FORM, patterns.number))]
    if column.currency is not None:
        every = _patterns(column, is_any_currency=True)
        amount = matches(_without_currency(_plain(_VALUE), every), every.number)
        branches.append(_refused_when(amount, NormalizeReason.OTHER_CURRENCY))
    branches.append(_refused_when(matches(_FORM, patterns.loose_number), NormalizeReason.WRONG_GROUPING))
    return sql.SQL("CASE {} ELSE {} END").format(sql.SQL(" ").join(branches), _word(NormalizeReason.NOT_A_NUMBER))


def _iso_form(column: Column, *, shape: str) -> sql.Composed:
    if column.formats:
        return iso_text(_VALUE, column.formats)
    return sql.SQL("CASE WHEN {} THEN replace({}, 'T', ' ') END").format(matches(_VALUE, shape), _VALUE)


def _instant(column: Column) -> sql.Composed:
    return sql.SQL("CASE WHEN {} THEN {} END").format(_exists(column), _FORM)


def _instant_reason(column: Column) -> sql.Composed:
    unknown = _refused_when(sql.SQL("{} IS NULL").format(_FORM), NormalizeReason.UNKNOWN_DATE_FORMAT)
    return sql.SQL("CASE {} WHEN {} THEN NULL ELSE {} END").format(
        unknown, _exists(column), _word(NormalizeReason.NO_SUCH_DATE)
    )


def _exists(column: Column) -> sql.Composed:
    return matches(_FORM, ISO_PATTERNS[column.rule or Rule.DATE][1])


def _boolean(_: Column) -> sql.Composed:
    word = sql.SQL("lower({})").format(_FORM)
    return sql.SQL("CASE WHEN {} THEN 'true' WHEN {} THEN 'false' END").format(
        is_one_of(word, list(TRUE_WORDS)), is_one_of(word, list(FALSE_WORDS))
    )


def _boolean_reason(_: Column) -> sql.Composed:
    is_known = is_one_of(sql.SQL("lower({})").format(_FORM), [*TRUE_WORDS, *FALSE_WORDS])
    return sql.SQL("CASE WHEN {} THEN NULL ELSE {} END").format(is_known, _word(NormalizeReason.NOT_A_BOOLEAN))


def _mapped(column: Column) -> sql.Composed:
    branches = [
        sql.SQL("WHEN {} THEN {}").format(text_literal(fold(spelling)), text_literal(value) if value else _NULL)
        for spelling, value in column.values.items()
    ]
    return sql.SQL("CASE {} {} END").format(_FORM, sql.SQL(" ").join(branches))


def _map_reason(column: Column) -> sql.Composed:
    is_known = is_one_of(_FORM, [fold(spelling) for spelling in column.values])
    return sql.SQL("CASE WHEN {} THEN NULL ELSE {} END").format(is_known, _word(NormalizeReason.NOT_IN_MAP))


def _refused_when(condition: sql.Composable, reason: NormalizeReason) -> sql.Composed:
    return sql.SQL("WHEN {} THEN {}").format(condition, _word(reason))


def _word(reason: NormalizeReason) -> sql.Composable:
    return text_literal(reason.value)


_Expression = Callable[[Column], sql.Composable]
_CANONICALS: Final[Mapping[Rule, _Expression]] = {
    Rule.TRIM: lambda _: _FORM,
    Rule.UPPER: lambda _: _cased(_FORM, sql.SQL("upper"), UPPER_OF),
    Rule.LOWER: lambda _: _cased(_FORM, sql.SQL("lower"), LOWER_OF),
    Rule.BOOLEAN: _boolean,
    Rule.MAP: _mapped,
    Rule.DATE: _instant,
    Rule.TIMESTAMP: _instant,
    Rule.DECIMAL: _number,
    Rule.CURRENCY: _number,
}
_REASONS: Final[Mapping[Rule, _Expression]] = {
    Rule.BOOLEAN: _boolean_reason,
    Rule.MAP: _map_reason,
    Rule.DATE: _instant_reason,
    Rule.TIMESTAMP: _instant_reason,
    Rule.DECIMAL: _number_reason,
    Rule.CURRENCY: _number_reason,
}
