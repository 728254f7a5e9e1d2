"""Expressions that read dates and timestamps of declared formats."""

import re
from collections.abc import Sequence
from typing import Final

from psycopg import sql

from data_pipeline.domain.date_formats import MONTHS, DateFormat, parse_format
from data_pipeline.postgres.sql_literals import matches, text_literal

_MONTH = "@"  # placeholders in the result: no format has them there
_HOUR = "#"
_DIGITS: Final = {"Y": 4, **dict.fromkeys("mdHMS", 2)}
_DASH, _COLON = text_literal("-"), text_literal(":")


def iso_text(value: sql.Composable, formats: Sequence[str]) -> sql.Composed:
    """Return the text as a date or timestamp in ISO 8601.

    That date may not exist. NULL for a text of no format's shape.

    The first format with the shape of the text decides, as in `DateFormat.canonical`.
    """
    branches = list[sql.Composable]()
    for one in map(parse_format, formats):
        if not set(one.directives) - _DIGITS.keys() and "T" not in one.text:
            branches.append(_if_complete(value, one))
        matching = matches(value, one.pattern, ignore_case=True)
        branches.append(sql.SQL("WHEN {} THEN {}").format(matching, _converted(value, one)))
    return sql.SQL("CASE {} END").format(sql.SQL(" ").join(branches))


def _if_complete(value: sql.Composable, one: DateFormat) -> sql.Composed:
    """Return a branch for texts whose numbers have all digits.

    Most texts are such. It takes a third of the time.
    """
    pattern, parts, at = "", dict[str, sql.Composable](), 1
    for directive, literal in re.findall("%(.)|([^%])", one.text):
        width = _DIGITS[directive] if directive else 1
        pattern += f"[0-9]{{{width}}}" if directive else re.escape(literal)
        parts[directive] = sql.SQL("substr({}, {}, {})").format(value, sql.Literal(at), sql.Literal(width))
        at += width
    iso: list[sql.Composable] = [parts["Y"], _DASH, parts["m"], _DASH, parts["d"]]
    if one.has_time:
        zero = text_literal("00")
        iso += [text_literal(" "), parts["H"], _COLON, parts.get("M", zero), _COLON, parts.get("S", zero)]
    return sql.SQL("WHEN {} THEN {}").format(matches(value, pattern), sql.SQL(" || ").join(iso))


def _converted(value: sql.Composable, one: DateFormat) -> sql.Composable:
    converted = _padded(_part(value, one, _template(one)), one)
    if "m" not in one.directives:
        converted = _replaced(converted, _MONTH, _month_number(value, one))
    if "I" in one.directives:
        converted = _replaced(converted, _HOUR, _hour_of_day(value, one))
    return sql.SQL("upper({})").format(converted) if "z" in one.directives else converted


def _template(one: DateFormat) -> str:
    """Return the replacement that orders the groups as ISO 8601."""
    group = {directive: f"\\{at}" for at, directive in enumerate(one.directives, start=1)}
    date = f"{group['Y']}-{group.get('m', _MONTH)}-{group['d']}"
    if not one.has_time:
        return date
    hour = group.get("H", _HOUR)
    fraction = f".{group['f']}" if "f" in group else ""
    return f"{date} {hour}:{group.get('M', '00')}:{group.get('S', '00')}{fraction}{group.get('z', '')}"


def _part(value: sql.Composable, one: DateFormat, template: str) -> sql.Composed:
    pattern = text_literal(f"^(?:{one.pattern})$")
    return sql.SQL("regexp_replace({}, {}, {}, 'i')").format(value, pattern, text_literal(template))


def _padded(iso: sql.Composable, one: DateFormat) -> sql.Composable:
    """Return the text with a zero before single digits.

    A fraction stays as it is.
    """
    if "{1,2}" not in one.pattern:
        return iso
    pattern, replacement = text_literal("(^|[- :])([0-9])(?=[- :.zZ+]|$)"), text_literal("\\10\\2")
    return sql.SQL("regexp_replace({}, {}, {}, 'g')").format(iso, pattern, replacement)


def _replaced(text: sql.Composable, placeholder: str, value: sql.Composable) -> sql.Composed:
    return sql.SQL("replace({}, {}, lpad(({})::text, 2, '0'))").format(text, text_literal(placeholder), value)


def _month_number(value: sql.Composable, one: DateFormat) -> sql.Composed:
    group = next(at for at, directive in enumerate(one.directives, start=1) if directive in "bB")
    name = _part(value, one, f"\\{group}")
    months = text_literal("".join(MONTHS))
    return sql.SQL("(strpos({}, lower(left({}, 3))) + 2) / 3").format(months, name)


def _hour_of_day(value: sql.Composable, one: DateFormat) -> sql.Composed:
    hour, half = (_part(value, one, f"\\{one.directives.index(directive) + 1}") for directive in "Ip")
    return sql.SQL(
        "CASE {hour}::integer WHEN 12 THEN 0 ELSE {hour}::integer END + CASE lower({half}) WHEN 'pm' THEN 12 ELSE 0 END"
    ).format(hour=hour, half=half)
