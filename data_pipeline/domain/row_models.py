"""The base of row models.

They validate records of an API at run time. A bulk load is validated by PostgreSQL.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final, Self, get_type_hints

from data_pipeline.domain.currencies import CURRENCIES
from data_pipeline.domain.normalizing import NormalizeError, parse_date, parse_decimal
from data_pipeline.errors import BadRow
from seeder.texts import Text


@dataclass(frozen=True, slots=True)
class Limit:
    """What the value of a field must be, beyond its type."""

    expected: str
    holds: Callable[[Any], bool]


def _limit(expected: str, holds: Callable[[Any], bool]) -> Mapping[str, Limit]:
    return {"limit": Limit(expected, holds)}


# For `dataclasses.field(metadata=…)`.
POSITIVE: Final = _limit("a positive Decimal", lambda value: value > 0)
NON_NEGATIVE: Final = _limit("a non-negative Decimal", lambda value: value >= 0)
CURRENCY: Final = _limit("an ISO 4217 code", CURRENCIES.__contains__)


class RowModel:
    """A valid row. A subclass is a frozen dataclass with fields of the types str, Decimal and date.

    A text must not be blank. Values that PostgreSQL would change, such as a float, are refused. Raises `BadRow`.
    """

    __slots__ = ()

    def __post_init__(self) -> None:
        for name, check in _checks(type(self)).items():
            value = getattr(self, name)
            if not check.accepts(value):
                raise BadRow(model=type(self).__name__, field=name, value=value, expected=check.expected)

    @classmethod
    def columns(cls) -> Sequence[str]:
        """Return the names of the fields, for `columns` of `handle.load`."""
        return list(_checks(cls))

    @classmethod
    def parse(cls, record: object) -> Self:
        """Return the row of a mapping.

        Its numbers and dates may be texts. Raises `BadRow`.
        """
        row = cls.parse_known(record)
        for name, value in record.items() if isinstance(record, Mapping) else ():
            if name not in _checks(cls):
                expected = Text("absent, because the fields are {fields}", fields=", ".join(cls.columns()))
                raise BadRow(model=cls.__name__, field=name, value=value, expected=expected)
        return row

    @classmethod
    def parse_known(cls, record: object) -> Self:
        """Return the row of a record, and ignore its other fields."""
        if not isinstance(record, Mapping):
            raise BadRow(model=cls.__name__, field="record", value=record, expected=Text("an object with named fields"))
        values = {}
        for name, check in _checks(cls).items():
            if name not in record:
                raise BadRow(model=cls.__name__, field=name, value=None, expected=Text("given"))
            try:
                values[name] = check.parse(record[name])
            except NormalizeError as error:
                expected = check.form
                raise BadRow(model=cls.__name__, field=name, value=record[name], expected=expected) from error
        return cls(**values)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Kind:
    """A type that a field can have."""

    expected: str
    form: str  # of its texts
    accepts: Callable[[Any], bool]
    parse_text: Callable[[str], object]


_KINDS: Final[Mapping[type, _Kind]] = {
    str: _Kind(
        expected=Text("a text that is not empty"),
        form=Text("a text"),
        accepts=lambda value: isinstance(value, str) and bool(value.strip()) and "\0" not in value,
        parse_text=str,
    ),
    Decimal: _Kind(
        expected=Text("a Decimal"),
        form=Text("a number"),
        accepts=lambda value: isinstance(value, Decimal) and value.is_finite(),
        parse_text=parse_decimal,
    ),
    date: _Kind(
        expected=Text("a date"),
        form=Text("a date such as 2025-12-31"),
        accepts=lambda value: isinstance(value, date) and not isinstance(value, datetime),
        parse_text=parse_date,
    ),
}


class _Check:
    """How a field of a model is parsed and checked."""

    def __init__(self, kind: type, limit: Limit | None) -> None:
        self._kind, self._type, self._limit = _KINDS[kind], kind, limit
        self.expected, self.form = limit.expected if limit else self._kind.expected, self._kind.form

    def accepts(self, value: object) -> bool:
        return self._kind.accepts(value) and (self._limit is None or self._limit.holds(value))

    def parse(self, value: object) -> object:
        """Parse a text. JSON has whole numbers, which are Decimals here, too. Raises `NormalizeError`."""
        if isinstance(value, str):
            return self._kind.parse_text(value)
        return Decimal(value) if self._type is Decimal and type(value) is int else value


_CHECKS: Final[dict[type[Any], Mapping[str, _Check]]] = {}  # by model


def _checks(model: type[Any]) -> Mapping[str, _Check]:
    """Return the checks of a model by field, which are found once."""
    if (known := _CHECKS.get(model)) is None:
        hints = get_type_hints(model)
        known = {field.name: _Check(hints[field.name], field.metadata.get("limit")) for field in fields(model)}
        _CHECKS[model] = known
    return known
