"""Parser of REFRESH MATERIALIZED VIEW statements of any client."""

import re
from collections.abc import Iterator
from functools import lru_cache

from seeder.domain.view_names import ViewName
from seeder.errors import BadName

# One token each, so that comments and quotes are skipped as a unit and the time is linear. Nested comments are not
# supported: such a statement is not recognised as a refresh.
_TOKEN = re.compile(
    r"(?P<gap>[ \t\n\r\f\v]+|--[^\n\r]*|/\*(?:(?!/\*|\*/).)*\*/)"
    r'|(?P<part>"(?:[^"]|"")*"|[A-Za-z_\x80-\U0010ffff][\w$\x80-\U0010ffff]*)'
    r"|(?P<sign>[.;])",
    re.ASCII | re.DOTALL,
)


@lru_cache(maxsize=2**15)  # the same texts are read before and after a run
def parse_refresh(statement: str) -> tuple[ViewName, bool] | None:
    """Return the refreshed view and whether concurrently, or None for any other statement.

    A name without a schema is ignored: seeder always writes the schema, and the search_path of another session is
    unknown. WITH NO DATA is ignored too, because it empties the view.
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
    """Yield the tokens. The first unknown one yields a question mark and ends."""
    position = 0
    while position < len(statement):
        token = _TOKEN.match(statement, position)
        if token is None:
            yield "?"
            return
        position = token.end()
        if token["gap"] is None:
            yield token[0]
