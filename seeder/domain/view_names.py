"""Names of views, read as PostgreSQL's own `parse_ident` reads them.

Reading them here rather than on the server lets a bad name be a complaint about one manifest before any database
work; a test holds the two readings against each other.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches

from seeder.errors import BadName

DEFAULT_SCHEMA = "reporting"

# NAMEDATALEN - 1 in src/include/pg_config_manual.h. PostgreSQL cuts a longer name short without an error, and two
# names that are alike up to there would then be one view.
MAX_IDENTIFIER_BYTES = 63

# scanner_isspace(), is_ident_start() and is_ident_cont() in PostgreSQL's scansup.c and misc.c: only ASCII letters
# fold, and every character beyond ASCII may stand in an unquoted name. A vertical tab is a blank only from PostgreSQL
# 16 on, so here it is none.
_SPACE = r"[ \t\n\r\f]*"
_IDENTIFIER = re.compile(
    rf'{_SPACE}(?:"(?P<quoted>(?:[^"]|"")*)"|(?P<bare>[A-Za-z_\x80-\U0010ffff][\w$\x80-\U0010ffff]*)){_SPACE}', re.ASCII
)
_NEEDS_NO_QUOTES = re.compile(r"[a-z_][a-z0-9_]*\Z", re.ASCII)
_UPPER_TO_LOWER = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")


@dataclass(frozen=True, kw_only=True, order=True, slots=True)
class ViewName:
    """The schema and the name of a view, each as the catalog spells it."""

    schema: str
    name: str

    @classmethod
    def parse(cls, text: str) -> "ViewName":
        """Read `text` as SQL reads a qualified name; a bare name is in schema `reporting`.

        Raises `BadName` where PostgreSQL would not take it, or would take another name than was written.
        """
        parts = tuple(_parse_identifiers(text))
        for part in parts:
            if len(part.encode()) > MAX_IDENTIFIER_BYTES:
                raise BadName(
                    text=text,
                    problem=f"{part!r} is {len(part.encode())} bytes long, PostgreSQL keeps {MAX_IDENTIFIER_BYTES}",
                )
        if len(parts) == 2 and parts[0].startswith("pg_"):
            raise BadName(text=text, problem="PostgreSQL keeps the schemas that begin with pg_ for itself")
        match parts:
            case [name]:
                return cls(schema=DEFAULT_SCHEMA, name=name)
            case [schema, name]:
                return cls(schema=schema, name=name)
            case _:
                raise BadName(
                    text=text, problem=f"it has {len(parts)} parts, but a view has a schema and a name at most"
                )

    def __str__(self) -> str:
        """The name as somebody would write it in SQL; for people, never for a statement."""
        return f"{_quote_if_needed(self.schema)}.{_quote_if_needed(self.name)}"


def _parse_identifiers(text: str) -> Iterator[str]:
    """The identifiers between the dots, unquoted and folded as `parse_ident(text, strict)` does."""
    if not is_storable_text(text):
        raise BadName(text=text, problem="it holds a character that PostgreSQL cannot store")
    position = 0
    while True:
        match = _IDENTIFIER.match(text, position)
        if match is None:
            raise BadName(text=text, problem=f"no identifier at character {position + 1}")
        if match["quoted"] == "":
            raise BadName(text=text, problem="a quoted identifier is empty")
        yield match["quoted"].replace('""', '"') if match["quoted"] else match["bare"].translate(_UPPER_TO_LOWER)
        position = match.end()
        if position == len(text):
            return
        if text[position] != ".":
            raise BadName(text=text, problem=f"{text[position]!r} at character {position + 1} is out of place")
        position += 1


def did_you_mean(name: str, candidates: Iterable[str], introduction: str) -> str:
    """A sentence that begins like that and names the one of `known` that looks most like it; empty where none is."""
    matches = get_close_matches(name, sorted(candidates), n=1, cutoff=0)
    return f" {introduction} {matches[0]!r}." if matches else ""


def is_storable_text(text: str) -> bool:
    """Whether PostgreSQL can hold the text at all: no zero character, and no half of a character, which is how Python
    passes on bytes of a command line that it cannot read."""
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)


def one_line(text: str) -> str:
    """A quoted name may hold a line end, or worse; a log gets it escaped."""
    return "".join(character if character.isprintable() else repr(character)[1:-1] for character in text)


def _quote_if_needed(part: str) -> str:
    return part if _NEEDS_NO_QUOTES.match(part) else '"' + part.replace('"', '""') + '"'
