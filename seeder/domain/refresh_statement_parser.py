"""Parser of REFRESH MATERIALIZED VIEW statements of any client."""

import re
from functools import lru_cache

from seeder.domain.view_names import ViewName

_QUOTED = r'"(?:[^"]|"")*"'
_COMMENT = re.compile(rf"({_QUOTED})|--[^\n\r]*|/\*(?:(?!/\*|\*/).)*\*/", re.DOTALL)  # without nested comments
_IDENTIFIER = rf"({_QUOTED}|(?:[A-Za-z_]|[^\x00-\x7f])(?:[\w$]|[^\x00-\x7f])*)"
_REFRESH = re.compile(
    rf"\s*REFRESH\s+MATERIALIZED\s+VIEW\b\s*(CONCURRENTLY\b)?\s*{_IDENTIFIER}\s*\.\s*{_IDENTIFIER}"
    r"(?:\s*\bWITH\s+DATA\b)?[\s;]*",
    re.ASCII | re.IGNORECASE,
)


@lru_cache(maxsize=2**15)  # the same texts are read before and after a run
def parse_refresh(statement: str) -> tuple[ViewName, bool] | None:
    """Return the view and whether it is refreshed concurrently.

    Returns None for any other statement.

    A name without a schema is ignored: seeder always writes the schema, and the search_path of another session is
    unknown. WITH NO DATA is ignored too, because it empties the view. So are nested comments.
    """
    refresh = _REFRESH.fullmatch(_COMMENT.sub(lambda comment: comment[1] or " ", statement))
    if refresh is None:
        return None
    name = ViewName.parse_or_none(f"{refresh[2]}.{refresh[3]}")
    return None if name is None else (name, refresh[1] is not None)
