"""The statements in the log of a server."""

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
    """Yield a list that contains the statements sent in the context afterwards."""
    logged: list[str] = []
    start = log.stat().st_size
    yield logged
    with log.open("rb") as file:
        file.seek(start)
        logged.extend(statements(file.read().decode(errors="replace")))


def statements(text: str) -> Iterator[str]:
    """Yield the normalized statements of a log."""
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
    """Return a statement without literals, view names and comments."""
    short = _LITERAL.sub("?", _NAME.sub("«view»", " ".join(_COMMENT.sub("", statement).split())))
    return _LISTS.sub("?…", _SAVEPOINT.sub("savepoint", short))
