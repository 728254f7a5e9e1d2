"""What a REFRESH statement says, whoever wrote it."""

import re
from collections.abc import Iterator
from functools import lru_cache

from seeder.domain.names import ViewName
from seeder.errors import BadName

# One piece of a statement each, so that what is inside a comment or quotes stays there, and a long statement takes no
# longer than its length. Comments nested in comments are not read: such a statement is nobody's refresh here.
_PIECE = re.compile(
    r"(?P<gap>[ \t\n\r\f\v]+|--[^\n\r]*|/\*(?:(?!/\*|\*/).)*\*/)"
    r'|(?P<part>"(?:[^"]|"")*"|[A-Za-z_\x80-\U0010ffff][\w$\x80-\U0010ffff]*)'
    r"|(?P<sign>[.;])",
    re.ASCII | re.DOTALL,
)


@lru_cache(maxsize=2**15)  # the server is asked for the same texts before and after a run
def refreshed(statement: str) -> tuple[ViewName, bool] | None:
    """The view that a statement fills again, and whether concurrently; None where it is any other statement.

    A name without its schema is none of ours, as we always write both, and what it means is the session's secret; a
    statement that ends in WITH NO DATA empties its view.
    """
    pieces = list(_pieces(statement))
    words = [piece.upper() for piece in pieces]
    if words[:3] != ["REFRESH", "MATERIALIZED", "VIEW"]:
        return None
    concurrently = words[3:4] == ["CONCURRENTLY"]
    schema, dot, name, *rest = [*pieces[4 if concurrently else 3 :], *[""] * 3]
    if dot != "." or [word.upper() for word in rest if word not in {"", ";"}] not in ([], ["WITH", "DATA"]):
        return None
    try:
        return ViewName.parse(f"{schema}.{name}"), concurrently
    except BadName:
        return None


def _pieces(statement: str) -> Iterator[str]:
    """Names, words and signs in turn, and a question mark in place of the first that is none of these."""
    at = 0
    while at < len(statement):
        piece = _PIECE.match(statement, at)
        if piece is None:
            yield "?"
            return
        at = piece.end()
        if piece["gap"] is None:
            yield piece[0]
