"""docs/reference/errors.md: the messages of all errors."""

import re
from collections.abc import Iterator
from inspect import cleandoc

from docs_reference.markdown_text import code, page, table
from seeder.errors import SeederError

_INTRO = """A command prints an error in one line and exits with 2. The API answers with a
[status](rest-api.md#errors), a page with a sentence. From Python they are `seeder.errors.SeederError`. Words in
braces are filled in."""


def render() -> str:
    """Return the page."""
    blocks = []
    groups: list[type[SeederError]] = [SeederError, *_groups(SeederError)]
    for group in groups:
        own = [kind for kind in group.__subclasses__() if kind.__module__ == SeederError.__module__]
        rows = [(code(kind.__name__), _message(kind)) for kind in own if not _is_group(kind)]
        if rows:
            title = "General" if group is SeederError else _message(group).partition(";")[0].rstrip(".")
            blocks += [f"## {title}", table(("error", "message"), rows)]
    return page("Errors", _INTRO, *blocks)


def _is_group(kind: type[SeederError]) -> bool:
    return any(one.__module__ == SeederError.__module__ for one in kind.__subclasses__())


def _groups(kind: type[SeederError]) -> Iterator[type[SeederError]]:
    for one in kind.__subclasses__():
        if _is_group(one):
            yield one
            yield from _groups(one)


def _message(kind: type[SeederError]) -> str:
    """Return the docstring with plain placeholders."""
    return re.sub(r"\{(\w+)[^}]*\}", r"{\1}", cleandoc(kind.__doc__ or ""))
