"""Names of views, parsed as PostgreSQL's `parse_ident` does.

They are parsed here, not on the server, so that a bad name rejects one manifest before any database work. A test
compares both parsers.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from seeder.errors import BadName
from seeder.texts import Text

DEFAULT_SCHEMA = "reporting"

# NAMEDATALEN - 1 in src/include/pg_config_manual.h. PostgreSQL truncates a longer name without an error, so two names
# with the same beginning would be one view.
MAX_IDENTIFIER_BYTES = 63

# scanner_isspace(), is_ident_start() and is_ident_cont() in PostgreSQL's scansup.c and misc.c: only ASCII letters
# fold, and any character beyond ASCII is allowed in an unquoted name. A vertical tab is white space only since
# PostgreSQL 16, so it is rejected here. Ranges up to U+10FFFF would take 10 ms to compile.
_SPACE = r"[ \t\n\r\f]*"
_IDENTIFIER = re.compile(
    rf'{_SPACE}(?:"(?P<quoted>(?:[^"]|"")*)"|(?P<bare>(?:[A-Za-z_]|[^\x00-\x7f])(?:[\w$]|[^\x00-\x7f])*)){_SPACE}',
    re.ASCII,
)
_SPACES_IN_NUMBERS = "\N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}"  # of some languages
# Nearly every name. It needs no unquoting and no folding, so it is parsed in a third of the time.
_PLAIN = rf"[a-z_][a-z0-9_]{{0,{MAX_IDENTIFIER_BYTES - 1}}}"
_PLAIN_NAME = re.compile(rf"(?:{_PLAIN}\.)?{_PLAIN}\Z", re.ASCII)
_UNSTORABLE = re.compile(r"[\0\ud800-\udfff]")
_NEEDS_NO_QUOTES = re.compile(r"[a-z_][a-z0-9_]*\Z", re.ASCII)
_UPPER_TO_LOWER = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")


@dataclass(frozen=True, kw_only=True, order=True, slots=True)
class ViewName:
    """Schema and name of a view, as in the catalog."""

    schema: str
    name: str

    @classmethod
    def parse(cls, text: str, *, default_schema: str = DEFAULT_SCHEMA) -> "ViewName":
        """Parse a qualified SQL name.

        Raises `BadName` if PostgreSQL would reject or change the name.
        """
        parts = text.split(".") if _PLAIN_NAME.match(text) else _parse_short_identifiers(text)
        if len(parts) > 2:
            problem = Text("it has {number} parts, but a view has a schema and a name at most", number=len(parts))
            raise BadName(text=text, problem=problem)
        schema, name = parts if len(parts) == 2 else (default_schema, *parts)
        if schema.startswith("pg_"):
            problem = Text("PostgreSQL keeps the schemas that begin with pg_ for itself")
            raise BadName(text=text, problem=problem)
        return cls(schema=schema, name=name)

    @classmethod
    def parse_or_none(cls, text: str, *, default_schema: str = DEFAULT_SCHEMA) -> "ViewName | None":
        """Parse a name. Return None if it is invalid."""
        try:
            return cls.parse(text, default_schema=default_schema)
        except BadName:
            return None

    def __str__(self) -> str:
        """Return the name as in SQL. For messages only: statements compose identifiers."""
        return f"{_quote_if_needed(self.schema)}.{_quote_if_needed(self.name)}"


def _parse_short_identifiers(text: str) -> list[str]:
    """Return the identifiers. Raises `BadName` if one is longer than PostgreSQL keeps."""
    parts = list(_parse_identifiers(text))
    for part in parts:
        if len(part.encode()) > MAX_IDENTIFIER_BYTES:
            problem = Text(
                "{part!r} is {size} bytes long, PostgreSQL keeps {most}",
                part=part,
                size=len(part.encode()),
                most=MAX_IDENTIFIER_BYTES,
            )
            raise BadName(text=text, problem=problem)
    return parts


def _parse_identifiers(text: str) -> Iterator[str]:
    """Yield the identifiers, unquoted and folded as `parse_ident(text, strict)` does."""
    if not is_storable_text(text):
        raise BadName(text=text, problem=Text("it holds a character that PostgreSQL cannot store"))
    position = 0
    while True:
        match = _IDENTIFIER.match(text, position)
        if match is None:
            raise BadName(text=text, problem=Text("no identifier at character {position}", position=position + 1))
        if match["quoted"] == "":
            raise BadName(text=text, problem=Text("a quoted identifier is empty"))
        yield match["quoted"].replace('""', '"') if match["quoted"] else match["bare"].translate(_UPPER_TO_LOWER)
        position = match.end()
        if position == len(text):
            return
        if text[position] != ".":
            problem = Text(
                "unexpected {character!r} at character {position}", character=text[position], position=position + 1
            )
            raise BadName(text=text, problem=problem)
        position += 1


def normalize_name(text: str) -> str:
    """Return one text for all spellings of a view. Keeps an invalid name."""
    if "." in text and _PLAIN_NAME.match(text):
        return text
    return str(ViewName.parse_or_none(text) or text)


def is_storable_text(text: str) -> bool:
    """Return whether PostgreSQL can store the text: it has no NUL and no surrogate.

    Python decodes invalid bytes of a command line as surrogates.
    """
    return _UNSTORABLE.search(text) is None


def one_line(text: str, *, keep: str = _SPACES_IN_NUMBERS) -> str:
    """Escape unprintable characters but those to keep, because a quoted name may contain a line end."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() or one in keep else repr(one)[1:-1] for one in text)


def _quote_if_needed(part: str) -> str:
    return part if _NEEDS_NO_QUOTES.match(part) else '"' + part.replace('"', '""') + '"'
