"""docs/reference/errors.md: the messages of all errors."""

import re
from collections.abc import Iterator, Mapping, Sequence
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
    stats_errors,
    storage_errors,
    upload_errors,
)
from data_pipeline.pipelines import errors as pipeline_errors
from docs_reference import load_next_steps, service_next_steps
from docs_reference.markdown_text import anchored_code, code, page, table
from seeder import (
    cancel_errors,
    change_sample_errors,
    data_check_errors,
    freshness_errors,
    manifest_errors,
    notification_errors,
)
from seeder.errors import SeederError

_INTRO = """A command prints an error in one line and exits with 2. With `--json` it prints a document: `code` as in the
first column, `detail` and `exitCode`. The API answers with [problem details](rest-api.md#errors) of the same codes, a
page with a sentence. From Python they are `seeder.errors.SeederError`. Words in braces are filled in. For errors of
loads, the last column says what to look at and what to do beyond the message."""
_OF_API = {
    "bad_request": "The body cannot be parsed. Send what the schema describes.",
    "validation_error": "Parameters are invalid. `fields` has the messages of each.",
    "not_authenticated": "The request has no login. Log in, or send a token.",
    "authentication_failed": "The token is unknown, or its user is inactive. Create another token.",
    "permission_denied": "The user lacks the permission of the endpoint, or the CSRF token is missing.",
    "not_found": "There is no such object, or it belongs to agencies that the user may not see.",
    "method_not_allowed": "The endpoint has no such method.",
    "body_too_large": "The JSON body has more than 64 kB. Send less at once.",
    "unsupported_media_type": "The endpoint does not read this media type.",
    "throttled": "Too many requests. `Retry-After` has the seconds to wait.",
    "unavailable": "The database or a setting prevents an answer. The log has the cause, and staff see it.",
    "internal_error": "A programming error. Report it with the request id; the log has the traceback.",
}
_OF_COMMANDS = {
    "bad_arguments": "Options or operands are invalid. `--help` shows them.",
    "command_failed": "The output cannot be written, or a part of the work failed. `detail` has the cause.",
    "interrupted": "A signal ended the command. What was committed remains; run it again to continue.",
}
_LOADING_MODULES = (
    errors,
    artefact_errors,
    storage_errors,
    upload_errors,
    dialect_errors,
    correction_errors,
    partition_errors,
    job_errors,
    silver_errors,
    http_errors,
    pipeline_errors,
    stats_errors,
)
_LOADING_NAMES = [module.__name__ for module in _LOADING_MODULES]
_SEEDER_MODULES = (
    cancel_errors,
    manifest_errors,
    data_check_errors,
    change_sample_errors,
    freshness_errors,
    notification_errors,
)
_MODULES = [SeederError.__module__, *(module.__name__ for module in _SEEDER_MODULES), *_LOADING_NAMES]
NEXT_STEPS: Mapping[str, str] = {
    **load_next_steps.LOADS,
    **load_next_steps.TARGETS,
    **load_next_steps.FILES,
    **load_next_steps.UPLOADS,
    **service_next_steps.STORAGE,
    **service_next_steps.TRANSFORMS,
    **service_next_steps.CALLS,
    **service_next_steps.DIALECTS,
    **service_next_steps.JOBS,
    **service_next_steps.PIPELINES,
    **service_next_steps.STATISTICS,
}
"""By the names of errors of the loading lane."""


def render() -> str:
    """Return the page."""
    blocks = []
    sections: list[type[SeederError]] = [SeederError, *_sections(SeederError)]
    for section in sections:
        kinds = list(_kinds(section))
        title = "General" if section is SeederError else _message(section).partition(";")[0].rstrip(".")
        blocks += [f"## {title}", _table(kinds)]
    of_api = table(("code", "meaning"), ((anchored_code(word), text) for word, text in _OF_API.items()))
    of_commands = table(("code", "meaning"), ((anchored_code(word), text) for word, text in _OF_COMMANDS.items()))
    alone = ("## Of the API alone", of_api, "## Of commands alone", of_commands)
    return page("Errors", _INTRO, *alone, *blocks)


def loading_errors() -> Iterator[type[SeederError]]:
    """Yield the errors of the loading lane. Each has a next step."""
    sections: list[type[SeederError]] = [SeederError, *_sections(SeederError)]
    for section in sections:
        yield from (kind for kind in _kinds(section) if kind.__module__ in _LOADING_NAMES)


def _table(kinds: Sequence[type[SeederError]]) -> str:
    """Return the table of a section, with next steps if it has errors of the loading lane."""
    if not any(kind.__module__ in _LOADING_NAMES for kind in kinds):
        rows = ((anchored_code(kind.code), code(kind.__name__), _message(kind)) for kind in kinds)
        return table(("code", "error", "message"), rows)
    steps = (
        (anchored_code(kind.code), code(kind.__name__), _message(kind), NEXT_STEPS.get(kind.__name__, ""))
        for kind in kinds
    )
    return table(("code", "error", "message", "what to look at, and what to do"), steps)


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
