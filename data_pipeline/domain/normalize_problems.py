"""Problems of values that a rule or lookup refuses."""

from collections.abc import Callable, Mapping
from typing import Final

from data_pipeline.domain.dialects import Column, Lookup
from data_pipeline.domain.normalizing import NormalizeReason
from data_pipeline.domain.rejects import Problem
from seeder.texts import Text

INVALID_PARAMETER_VALUE: Final = "22023"  # PostgreSQL raises it for no text of a column, so it is unambiguous here

_EXPLANATIONS: Final[Mapping[NormalizeReason, Callable[[Column], str]]] = {
    NormalizeReason.EMPTY: lambda _: Text("the value is empty"),
    NormalizeReason.NOT_A_NUMBER: lambda column: Text(
        "the value is not a number with the decimal mark {mark!r}", mark=column.decimal_mark
    ),
    NormalizeReason.WRONG_GROUPING: lambda column: Text(
        "the digits are not grouped as those of a number with the decimal mark {mark!r}", mark=column.decimal_mark
    ),
    NormalizeReason.OTHER_CURRENCY: lambda column: Text(
        "the amount is of another currency than {currency}", currency=column.currency
    ),
    NormalizeReason.UNKNOWN_DATE_FORMAT: lambda column: (
        Text("the value does not have the format {formats}", formats=" or ".join(column.formats))
        if column.formats
        else Text("the value does not have the format of ISO 8601")
    ),
    NormalizeReason.NO_SUCH_DATE: lambda _: Text("the date or time does not exist"),
    NormalizeReason.NOT_A_BOOLEAN: lambda _: Text("the value is neither true nor false"),
    NormalizeReason.NOT_IN_MAP: lambda _: Text("the dialect maps other values only"),
}


def refused_value(column: Column, reason: NormalizeReason, *, value: str | None) -> Problem:
    """Return the problem of a value. Its reason begins with the word of the metric's label."""
    return Problem(
        column=column.name,
        sqlstate=INVALID_PARAMETER_VALUE,
        reason=Text.joined([reason.value, _EXPLANATIONS[reason](column)], ": "),
        value=value,
    )


def not_in_reference(lookup: Lookup, *, value: str | None) -> Problem:
    """Return the problem of a value that a reference lacks."""
    explanation = Text("{reference} has no such value", reference=lookup.source)
    return Problem(
        column=lookup.column,
        sqlstate=INVALID_PARAMETER_VALUE,
        reason=Text.joined([NormalizeReason.NOT_IN_REFERENCE.value, explanation], ": "),
        value=value,
    )
