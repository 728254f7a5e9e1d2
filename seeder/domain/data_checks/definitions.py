"""Definitions of data checks, as written in a file or a form, and how a set of them differs from the stored ones."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from math import isfinite
from typing import Any

from seeder.data_check_errors import BadCheck, BadCheckFile
from seeder.domain.data_checks.results import CheckSeverity
from seeder.domain.data_checks.rules import TOLERANT_KINDS, BadArguments, CheckKind, parse_rule
from seeder.domain.view_names import ViewName, is_storable_text
from seeder.errors import BadName
from seeder.texts import Text

MAX_TOLERATED_ROWS = 10**15  # of no view, and exact in JavaScript
MAX_NAME_LENGTH = 100  # characters: a name is in messages, notes and metrics


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckDefinition:
    """One data check of a view."""

    view: str  # its name as printed
    name: str
    kind: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    severity: str = CheckSeverity.ERROR
    tolerated_rows: int = 0
    tolerated_share: float = 0.0
    enabled: bool = True

    @property
    def key(self) -> tuple[str, str]:
        return self.view, self.name


_COLUMNS = ("severity", "tolerated_rows", "tolerated_share", "enabled")
_COMPARED = ("kind", "arguments", *_COLUMNS)


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckChange:
    """A check whose stored definition differs."""

    old: CheckDefinition
    new: CheckDefinition

    @property
    def fields(self) -> tuple[str, ...]:
        return tuple(name for name in _COMPARED if getattr(self.old, name) != getattr(self.new, name))


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckChanges:
    """What makes the stored checks those of a file."""

    added: Sequence[CheckDefinition]
    changed: Sequence[CheckChange]
    removed: Sequence[CheckDefinition]
    unchanged: int


def compare(old: Iterable[CheckDefinition], new: Iterable[CheckDefinition]) -> CheckChanges:
    """Compare the stored checks with those of a file."""
    before, after = {one.key: one for one in old}, {one.key: one for one in new}
    changed = [
        CheckChange(old=before[key], new=after[key])
        for key in sorted(before.keys() & after.keys())
        if before[key] != after[key]
    ]
    return CheckChanges(
        added=[after[key] for key in sorted(after.keys() - before.keys())],
        changed=changed,
        removed=[before[key] for key in sorted(before.keys() - after.keys())],
        unchanged=len(before.keys() & after.keys()) - len(changed),
    )


def read_definitions(document: object, *, file: str) -> Sequence[CheckDefinition]:
    """Read the document of a file: views with their checks by name.

    Raises `BadCheckFile` or `BadCheck`.
    """
    if not isinstance(document, Mapping):
        raise BadCheckFile(file=file, problem=Text("it must be a map of views to their checks"))
    definitions = [one for view, checks in document.items() for one in _of_view(view, checks, file=file)]
    seen = set[tuple[str, str]]()
    for one in definitions:
        if one.key in seen:  # two spellings of a view
            raise BadCheckFile(
                file=file, problem=Text("{view} has the check {check} twice", view=one.view, check=one.name)
            )
        seen.add(one.key)
    return definitions


def _of_view(view: object, checks: object, *, file: str) -> Iterator[CheckDefinition]:
    try:
        name = str(ViewName.parse(str(view)))
    except BadName as error:
        problem = Text("{text!r} is not a view's name: {problem}", **error.facts)
        raise BadCheckFile(file=file, problem=problem) from error
    if not isinstance(checks, Mapping):
        raise BadCheckFile(file=file, problem=Text("{view} must have a map of names to checks", view=str(view)))
    for check_name, values in checks.items():
        if not isinstance(values, Mapping):
            problem = Text("it must be a map with its kind and arguments")
            raise BadCheck(check=check_name, view=name, problem=problem)
        columns = {column: values[column] for column in _COLUMNS if column in values}
        kind = values.get("kind", "")
        arguments = {str(key): _json_value(value) for key, value in values.items() if key not in {"kind", *_COLUMNS}}
        yield require_valid(CheckDefinition(view=name, name=str(check_name), kind=kind, arguments=arguments, **columns))


def _json_value(value: object) -> object:
    """Return a value of YAML as JSON has it: dates are texts."""
    if isinstance(value, date):  # also a datetime
        return value.isoformat()
    return [_json_value(one) for one in value] if isinstance(value, list) else value


def require_valid(definition: CheckDefinition) -> CheckDefinition:
    """Return a definition that can be stored. Raises `BadCheck`."""
    for field_name, problem in _problems(definition):
        raise BadCheck(check=definition.name, view=definition.view, problem=problem, field=field_name)
    return definition


def _problems(definition: CheckDefinition) -> Iterator[tuple[str, str]]:
    """Yield the name of a field or argument, and what is wrong with it."""
    if not _is_name(definition.name):
        yield "name", Text("its name must have 1 to {most} printable characters, and no slash", most=MAX_NAME_LENGTH)
    if definition.severity not in list(CheckSeverity):
        yield "severity", Text("severity must be error or warn, not {value!r}", value=definition.severity)
    rows, share = definition.tolerated_rows, definition.tolerated_share
    if type(rows) is not int or not 0 <= rows <= MAX_TOLERATED_ROWS:
        yield (
            "tolerated_rows",
            Text(
                "tolerated_rows must be a whole number from 0 to {most}, not {value!r}",
                most=MAX_TOLERATED_ROWS,
                value=rows,
            ),
        )
    if type(share) not in {int, float} or not isfinite(share) or not 0 <= share <= 1:
        yield "tolerated_share", Text("tolerated_share must be a number from 0 to 1, not {value!r}", value=share)
    if unused := unused_tolerance(definition):
        yield unused, Text("{kind} counts no bad rows, so it cannot tolerate any", kind=definition.kind)
    if type(definition.enabled) is not bool:
        yield "enabled", Text("enabled must be true or false, not {value!r}", value=definition.enabled)
    if not all(map(is_storable_text, _texts([definition.name, definition.arguments]))):
        yield "arguments", Text("it has a character that PostgreSQL cannot store")
    try:
        parse_rule(definition.kind, definition.arguments)
    except BadArguments as error:
        yield error.argument or "arguments", str(error)


def unused_tolerance(definition: CheckDefinition) -> str | None:
    """Return the name of a tolerance that has no effect, because the kind counts no bad rows."""
    if definition.kind not in list(CheckKind) or definition.kind in TOLERANT_KINDS:
        return None
    return next((name for name in ("tolerated_rows", "tolerated_share") if getattr(definition, name)), None)


def _texts(value: object) -> Iterator[str]:
    """Yield the texts in a value of JSON."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield from _texts([*value, *value.values()])
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _texts(one)


def _is_name(name: str) -> bool:
    """Return whether a text can name a check. A slash would end it in a URL."""
    return bool(name.strip()) and len(name) <= MAX_NAME_LENGTH and name.isprintable() and "/" not in name
