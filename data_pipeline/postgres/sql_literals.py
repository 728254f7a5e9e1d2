"""Texts and patterns in composed statements."""

from psycopg import sql


def text_literal(text: str) -> sql.Composable:
    """Return a literal without a percent sign.

    psycopg would take it for a placeholder.
    """
    parts = [sql.Literal(part) for part in text.split("%")]
    return parts[0] if len(parts) == 1 else sql.SQL("({})").format(sql.SQL(" || chr(37) || ").join(parts))


def matches(value: sql.Composable, pattern: str, *, ignore_case: bool = False) -> sql.Composed:
    """Return the condition that a whole text matches a pattern."""
    operator = sql.SQL("~*") if ignore_case else sql.SQL("~")
    return sql.SQL("({} {} {})").format(value, operator, text_literal(f"^(?:{pattern})$"))


def is_one_of(value: sql.Composable, texts: "list[str]") -> sql.Composed:
    """Return the condition that a text is one of some others.

    There must be at least one.
    """
    return sql.SQL("({} IN ({}))").format(value, sql.SQL(", ").join(map(text_literal, texts)))
