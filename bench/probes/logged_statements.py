"""Which statements have reached the server, by its log."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_STATEMENT = re.compile(r" LOG:  (?:statement|execute [^:]+): ")
_ENTRY = re.compile(r"^\d{4}-\d\d-\d\d ")
_LITERAL = re.compile(r"E?'(?:[^']|'')*'(?:::\w+)?|\$\d+|\b\d+\b")
_NAME = re.compile(r'"?reporting"?\."?small_\w+"?')
_SAVEPOINT = re.compile(r'"s\d+_x\d+"')
_COMMENT = re.compile(r"^\s*--[^\n]*$|/\*.*?\*/", re.MULTILINE | re.DOTALL)
_LISTS = re.compile(r"\?(?:, \?)+|(?:\((?:\?|DEFAULT|NULL)(?:, (?:\?|DEFAULT|NULL))*\)(?:, )?){2,}")


@contextmanager
def logged_statements(log: Path) -> Iterator[list[str]]:
    """The statements that were sent inside, once it has been left, each without what changes from one to the next."""
    logged: list[str] = []
    begins = log.stat().st_size
    yield logged
    with log.open("rb") as file:
        file.seek(begins)
        logged.extend(statements(file.read().decode(errors="replace")))


def statements(text: str) -> Iterator[str]:
    """Of a log with its lines as PostgreSQL writes them."""
    entry: list[str] = []
    for line in (*text.splitlines(), "0000-00-00 "):
        if _ENTRY.match(line):
            joined = "\n".join(entry)
            if found := _STATEMENT.search(joined):
                yield normalize(joined[found.end() :])
            entry = [line]
        else:
            entry.append(line.removeprefix("\t"))


def normalize(statement: str) -> str:
    """A statement without its literals, names of views and comments."""
    short = _LITERAL.sub("?", _NAME.sub("«view»", " ".join(_COMMENT.sub("", statement).split())))
    return _LISTS.sub("?…", _SAVEPOINT.sub("savepoint", short))
