"""Rules of data checks, one class for each kind, and their arguments as stored in JSON."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from math import isfinite
from typing import Any

from seeder.domain.human_format import join_with_and
from seeder.texts import Text

Scalar = str | int | float | bool

_MAX_INTEGER = 2**63 - 1


class CheckKind(StrEnum):
    """Kinds of data checks, as in `seeder_check.kind`."""

    ROW_COUNT = "row_count"
    NOT_NULL = "not_null"
    UNIQUE = "unique"
    ACCEPTED_VALUES = "accepted_values"
    RANGE = "range"
    FRESHNESS = "freshness"
    CONDITION = "condition"
    QUERY = "query"
    DRIFT = "drift"


@dataclass(frozen=True, kw_only=True, slots=True)
class RowCount:
    """The number of rows: absolute, or compared with the last accepted count."""

    minimum: int | None = None
    maximum: int | None = None
    max_drop: float | None = None  # share of the last accepted count, from 0 to 1
    max_growth: float | None = None  # share of the last accepted count

    @property
    def is_relative(self) -> bool:
        return self.max_drop is not None or self.max_growth is not None


@dataclass(frozen=True, kw_only=True, slots=True)
class NotNull:
    """A column without nulls."""

    column: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Unique:
    """Columns whose values together occur once. Rows with a null in one of them do not count."""

    columns: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class AcceptedValues:
    """A column that only has listed values. Nulls are accepted."""

    column: str
    values: tuple[Scalar, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Range:
    """A column whose values are within bounds. Nulls are accepted."""

    column: str
    minimum: Scalar | None = None
    maximum: Scalar | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Freshness:
    """A date or timestamp column whose latest value is recent."""

    column: str
    max_age_hours: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Condition:
    """An SQL expression that is true, or null, for every row."""

    expression: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Query:
    """A query that returns the bad rows."""

    query: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Drift:
    """Columns, number of rows and shares of nulls without severe differences from a release snapshot."""

    severity: str = "breaking"  # differences of this severity, or above it, are bad: breaking or notice
    release_tag: str | None = None  # None: the latest release snapshot


@dataclass(frozen=True, kw_only=True, slots=True)
class Unreadable:
    """A stored rule that cannot be read, so its check cannot run."""

    kind: str
    problem: str


Rule = RowCount | NotNull | Unique | AcceptedValues | Range | Freshness | Condition | Query | Drift | Unreadable
SQL_KINDS = frozenset({CheckKind.CONDITION, CheckKind.QUERY})  # their arguments are code
TOLERANT_KINDS = frozenset(CheckKind) - {CheckKind.ROW_COUNT, CheckKind.FRESHNESS, CheckKind.DRIFT}  # count bad rows
RowRule = NotNull | AcceptedValues | Range | Condition  # a row is good or bad by itself


class BadArguments(ValueError):
    """Arguments of a rule are invalid. The text says why."""

    argument: str | None = None  # the name of the one that is invalid or missing


def parse_rule(kind: object, arguments: object) -> Rule:
    """Return the rule of a kind with its arguments. Raises `BadArguments`."""
    if not isinstance(kind, str) or kind not in _ARGUMENTS:
        raise BadArguments(
            Text("the kind {kind!r} is unknown: use one of {kinds}", kind=kind, kinds=", ".join(CheckKind))
        )
    if not isinstance(arguments, Mapping):
        raise BadArguments(Text("the arguments of {kind} must be a map of names to values", kind=kind))
    readers, values = _ARGUMENTS[CheckKind(kind)], dict[str, Any]()
    for name, value in arguments.items():
        if name not in readers:
            known = ", ".join(readers)
            raise BadArguments(Text("{kind} has no argument {name!r}, only {known}", kind=kind, name=name, known=known))
        try:
            values[_FIELDS.get(name) or name] = readers[name](name, value)
        except BadArguments as error:
            error.argument = name
            raise
    try:
        rule: Rule = RULES[CheckKind(kind)](**values)
    except TypeError:
        required = _REQUIRED[CheckKind(kind)]
        missing = BadArguments(Text("{kind} needs {arguments}", kind=kind, arguments=join_with_and(required)))
        missing.argument = next(name for name in required if name not in arguments)
        raise missing from None
    if isinstance(rule, RowCount | Range) and not values:
        raise BadArguments(Text("{kind} needs one of {arguments}", kind=kind, arguments=", ".join(readers)))
    if isinstance(rule, Range) and rule.minimum is None and rule.maximum is None:
        raise BadArguments(Text("range needs min or max"))
    if isinstance(rule, RowCount | Range) and _are_reversed(rule.minimum, rule.maximum):
        raise BadArguments(Text("min is larger than max, so the check would always fail"))
    return rule


def _are_reversed(minimum: Scalar | None, maximum: Scalar | None) -> bool:
    """Return whether no value is within bounds. Those of texts depend on the column."""
    return isinstance(minimum, int | float) and isinstance(maximum, int | float) and minimum > maximum


def kind_of(rule: Rule) -> str:
    """Return the kind of a rule."""
    if isinstance(rule, Unreadable):
        return rule.kind
    return next(kind for kind, one in RULES.items() if isinstance(rule, one))


def arguments_of(rule: Rule) -> Mapping[str, Any]:
    """Return the arguments from which `parse_rule` makes the rule. None of one that cannot be read."""
    if isinstance(rule, Unreadable):
        return {}
    values = {name: getattr(rule, _FIELDS.get(name) or name) for name in _ARGUMENTS[CheckKind(kind_of(rule))]}
    return {
        name: list(value) if isinstance(value, tuple) else value for name, value in values.items() if value is not None
    }


def argument_names(kind: CheckKind) -> tuple[str, ...]:
    """Return the names of a kind's arguments."""
    return tuple(_ARGUMENTS[kind])


def _text(name: str, value: object) -> str:
    if not isinstance(value, str) or not value.strip() or "\0" in value:
        raise BadArguments(Text("{name} must be a text that is not empty", name=name))
    return value


def _texts(name: str, value: object) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not value:
        raise BadArguments(Text("{name} must be a list of names", name=name))
    return tuple(_text(name, one) for one in value)


def _is_number(value: object) -> bool:
    """Return whether a value is a number that PostgreSQL has, too."""
    return abs(value) <= _MAX_INTEGER if isinstance(value, int) else isinstance(value, float) and isfinite(value)


def _scalar(name: str, value: object) -> Scalar:
    if not _is_number(value) and not (isinstance(value, str) and "\0" not in value):
        raise BadArguments(Text("{name} must be a text or a number, not {value!r}", name=name, value=value))
    return value  # type: ignore[return-value]  # checked above


def _scalars(name: str, value: object) -> tuple[Scalar, ...]:
    if not isinstance(value, list | tuple) or not value:
        raise BadArguments(Text("{name} must be a list of values", name=name))
    return tuple(_scalar(name, one) for one in value)


def _number(name: str, value: object, *, most: float | None = None, whole: bool = False) -> float:
    is_number = _is_number(value) and isinstance(value, int if whole else int | float) and not isinstance(value, bool)
    if not is_number or value < 0 or (most is not None and value > most):  # type: ignore[operator]
        if whole:
            problem = Text("{name} must be a whole number from 0, not {value!r}", name=name, value=value)
        elif most is None:
            problem = Text("{name} must be a number from 0, not {value!r}", name=name, value=value)
        else:
            problem = Text(
                "{name} must be a number from 0 to {most:g}, not {value!r}", name=name, most=most, value=value
            )
        raise BadArguments(problem)
    return value  # type: ignore[return-value]  # checked above


def _drift_severity(name: str, value: object) -> str:
    if value not in {"breaking", "notice"}:
        raise BadArguments(Text("{name} must be breaking or notice, not {value!r}", name=name, value=value))
    return str(value)


_count: Callable[[str, object], float] = partial(_number, whole=True)

RULES: Mapping[CheckKind, type[Any]] = {
    CheckKind.ROW_COUNT: RowCount,
    CheckKind.NOT_NULL: NotNull,
    CheckKind.UNIQUE: Unique,
    CheckKind.ACCEPTED_VALUES: AcceptedValues,
    CheckKind.RANGE: Range,
    CheckKind.FRESHNESS: Freshness,
    CheckKind.CONDITION: Condition,
    CheckKind.QUERY: Query,
    CheckKind.DRIFT: Drift,
}
_FIELDS = {"min": "minimum", "max": "maximum", "from_severity": "severity"}  # names that mean something else in Python
_ARGUMENTS: Mapping[CheckKind, Mapping[str, Callable[[str, object], Any]]] = {
    CheckKind.ROW_COUNT: {
        "min": _count,
        "max": _count,
        "max_drop": partial(_number, most=1),
        "max_growth": _number,
    },
    CheckKind.NOT_NULL: {"column": _text},
    CheckKind.UNIQUE: {"columns": _texts},
    CheckKind.ACCEPTED_VALUES: {"column": _text, "values": _scalars},
    CheckKind.RANGE: {"column": _text, "min": _scalar, "max": _scalar},
    CheckKind.FRESHNESS: {"column": _text, "max_age_hours": _number},
    CheckKind.CONDITION: {"expression": _text},
    CheckKind.QUERY: {"query": _text},
    CheckKind.DRIFT: {"from_severity": _drift_severity, "release_tag": _text},
}
_REQUIRED: Mapping[CheckKind, tuple[str, ...]] = {
    **{kind: tuple(readers) for kind, readers in _ARGUMENTS.items()},
    CheckKind.ROW_COUNT: (),
    CheckKind.RANGE: ("column",),
}
