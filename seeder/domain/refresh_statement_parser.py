"""What a REFRESH statement says, whoever wrote it."""

import re
from collections.abc import Iterator
from functools import lru_cache

from seeder.domain.view_names import ViewName
from seeder.errors import BadName

# One piece of a statement each, so that what is inside a comment or quotes stays there, and a long statement takes no
# longer than its length. Comments nested in comments are not read: such a statement is nobody's refresh here.
_TOKEN = re.compile(
    r"(?P<gap>[ \t\n\r\f\v]+|--[^\n\r]*|/\*(?:(?!/\*|\*/).)*\*/)"
    r'|(?P<part>"(?:[^"]|"")*"|[A-Za-z_\x80-\U0010ffff][\w$\x80-\U0010ffff]*)'
    r"|(?P<sign>[.;])",
    re.ASCII | re.DOTALL,
)


@lru_cache(maxsize=2**15)  # the server is asked for the same texts before and after a run
def parse_refresh(statement: str) -> tuple[ViewName, bool] | None:
    """The view that a statement fills again, and whether concurrently; None where it is any other statement.

    A name without its schema is none of ours, as we always write both, and what it means is the session's secret; a
    statement that ends in WITH NO DATA empties its view.
    """
    tokens = list(_tokens(statement))
    keywords = [piece.upper() for piece in tokens]
    if keywords[:3] != ["REFRESH", "MATERIALIZED", "VIEW"]:
        return None
    is_concurrent = keywords[3:4] == ["CONCURRENTLY"]
    schema, dot, name, *rest = [*tokens[4 if is_concurrent else 3 :], *[""] * 3]
    if dot != "." or [word.upper() for word in rest if word not in {"", ";"}] not in ([], ["WITH", "DATA"]):
        return None
    try:
        return ViewName.parse(f"{schema}.{name}"), is_concurrent
    except BadName:
        return None


def _tokens(statement: str) -> Iterator[str]:
    """Names, words and signs in turn, and a question mark in place of the first that is none of these."""
    position = 0
    while position < len(statement):
        token = _TOKEN.match(statement, position)
        if token is None:
            yield "?"
            return
        position = token.end()
        if token["gap"] is None:
            yield token[0]
