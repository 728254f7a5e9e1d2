"""What a REFRESH statement says, whoever wrote it."""

import re

from seeder.domain.names import ViewName
from seeder.errors import BadName

# Nothing is given back once it is read (*+): what is inside a comment or quotes stays there, and a long statement takes
# no longer than its length. Comments nested in comments are not read: such a statement is nobody's refresh here.
_GAP = r"(?:[ \t\n\r\f\v]|--[^\n\r]*+|/\*(?:(?!/\*|\*/).)*+\*/)"
_PART = r'(?:"(?:[^"]|"")*+"|[A-Za-z_\x80-\U0010ffff][\w$\x80-\U0010ffff]*+)'
_REFRESH = re.compile(
    rf"{_GAP}*+REFRESH{_GAP}++MATERIALIZED{_GAP}++VIEW\b{_GAP}*+(?P<concurrently>CONCURRENTLY\b{_GAP}*+)?"
    rf"(?P<schema>{_PART}){_GAP}*+\.{_GAP}*+(?P<name>{_PART})"
    rf"{_GAP}*+(?:WITH{_GAP}++DATA\b{_GAP}*+)?(?:;{_GAP}*+)?",
    re.ASCII | re.IGNORECASE | re.DOTALL,
)


def refreshed(statement: str) -> tuple[ViewName, bool] | None:
    """The view that a statement fills again, and whether concurrently; None where it is any other statement.

    A name without its schema is none of ours, as we always write both, and what it means is the session's secret; a
    statement that ends in WITH NO DATA empties its view.
    """
    found = _REFRESH.fullmatch(statement)
    if found is None:
        return None
    try:
        return ViewName.parse(f"{found['schema']}.{found['name']}"), found["concurrently"] is not None
    except BadName:
        return None
