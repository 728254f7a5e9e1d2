"""docs/reference/errors.md: the messages of all errors."""

import re
from collections.abc import Iterator
from inspect import cleandoc

from data_pipeline import (
    artefact_errors,
    correction_errors,
    dialect_errors,
    errors,
    http_errors,
    job_errors,
    partition_errors,
    silver_errors,
    storage_errors,
)
from data_pipeline.pipelines import errors as pipeline_errors
from docs_reference.markdown_text import code, page, table
from seeder.errors import SeederError

_INTRO = """A command prints an error in one line and exits with 2. The API answers with a
[status](rest-api.md#errors), a page with a sentence. From Python they are `seeder.errors.SeederError`. Words in
braces are filled in."""
_LOADING_MODULES = (
    errors,
    artefact_errors,
    storage_errors,
    dialect_errors,
    correction_errors,
    partition_errors,
    job_errors,
    silver_errors,
    http_errors,
    pipeline_errors,
)
_MODULES = [SeederError.__module__, *(module.__name__ for module in _LOADING_MODULES)]


def render() -> str:
    """Return the page."""
    blocks = []
    sections: list[type[SeederError]] = [SeederError, *_sections(SeederError)]
    for section in sections:
        rows = [(code(kind.__name__), _message(kind)) for kind in _kinds(section)]
        title = "General" if section is SeederError else _message(section).partition(";")[0].rstrip(".")
        blocks += [f"## {title}", table(("error", "message"), rows)]
    return page("Errors", _INTRO, *blocks)


def _sections(kind: type[SeederError]) -> Iterator[type[SeederError]]:
    for one in _subclasses(kind):
        if _is_section(one):
            yield one
        yield from _sections(one)


def _kinds(section: type[SeederError]) -> Iterator[type[SeederError]]:
    """Yield the errors of a section, without those of the sections in it."""
    for one in _subclasses(section):
        if not _is_section(one):
            yield one
            yield from _kinds(one)


def _is_section(kind: type[SeederError]) -> bool:
    """Return whether an error is a group: it has subclasses, and its message names no fact."""
    return bool(_subclasses(kind)) and "{" not in (kind.__doc__ or "")


def _subclasses(kind: type[SeederError]) -> list[type[SeederError]]:
    """Return the documented subclasses in the order of the modules. The last of several bases counts."""
    found = [
        one
        for one in kind.__subclasses__()
        if one.__module__ in _MODULES and [base for base in one.__bases__ if issubclass(base, SeederError)][-1] is kind
    ]
    return sorted(found, key=lambda one: _MODULES.index(one.__module__))


def _message(kind: type[SeederError]) -> str:
    """Return the docstring with plain placeholders."""
    text = cleandoc(kind.__doc__ or "")
    return re.sub(r"\{\{(.*?)\}\}|\{(\w+)[^}]*\}", lambda match: f"{{{match[1] or match[2]}}}", text)
