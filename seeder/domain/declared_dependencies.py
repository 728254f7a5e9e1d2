"""Dependencies that a query declares, because PostgreSQL cannot know them.

A line `-- depends_on: reporting.a, reporting.b` names the views that the query reads in another way, such as through a
function with a text body or a foreign table. Without names, it says that there are none.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from seeder.domain.view_names import ViewName

_DECLARATION = re.compile(r"^[ \t]*--[ \t]*depends_on:(.*)$", re.MULTILINE)
_NAME = re.compile(r'(?:"[^"]*"|[^",])+')


@dataclass(frozen=True, kw_only=True, slots=True)
class Declaration:
    """The dependencies declared in the queries of a view."""

    views: frozenset[ViewName]
    invalid_names: tuple[str, ...] = ()


def find_declaration(queries: Iterable[str]) -> Declaration | None:
    """Return what the queries of a view declare, or None if they declare nothing."""
    lines = [line for query in queries for line in _DECLARATION.findall(query)]
    texts = [text.strip() for line in lines for text in _NAME.findall(line) if text.strip()]
    names = {text: ViewName.parse_or_none(text) for text in texts}
    return (
        Declaration(
            views=frozenset(name for name in names.values() if name),
            invalid_names=tuple(text for text, name in names.items() if name is None),
        )
        if lines
        else None
    )
