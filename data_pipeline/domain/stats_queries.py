"""What is read from the view of a statistic: columns, filters and a page."""

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from data_pipeline.domain.stats_periods import Period
from data_pipeline.stats_errors import BadFilterValue, ColumnNotFilterable, NoDateColumn, UnknownFilter
from seeder.domain.view_names import is_storable_text
from seeder.texts import Text

AGENCY_COLUMN = "agency_slug"
MAX_VALUES = 100  # of one filter
# PostgreSQL also takes words such as `today`, whose meaning changes while an answer is cached.
_PLAIN_TIME = re.compile(r"[0-9][0-9T:.+ Z-]*", re.ASCII)


@dataclass(frozen=True, kw_only=True, slots=True)
class StatsColumn:
    """A column of a view."""

    name: str
    type: str  # as PostgreSQL writes it
    value_type: str  # without domain and modifier: a cast to varchar(3) would shorten a value instead of refusing it
    equality: str | None  # the operator, in SQL; None if values cannot be compared
    is_date: bool  # date, timestamp or timestamptz
    is_time: bool  # also time and timetz
    is_json: bool  # a boolean, an integer, a floating-point number or a text, which JSON has as well


@dataclass(frozen=True, kw_only=True, slots=True)
class StatsQuery:
    """Rows of a view that are wanted."""

    filters: Mapping[str, Sequence[str]]  # accepted values by column
    date_column: str | None = None
    period: Period | None = None
    limit: int
    offset: int = 0

    def as_text(self) -> str:
        """Return a text that differs from that of every other query."""
        return repr(asdict(self))


def split_values(parameter: str, text: str) -> Sequence[str]:
    """Return the values between commas. A value with a comma is in double quotes.

    Raises `BadFilterValue`.
    """
    if not is_storable_text(text):
        raise BadFilterValue(parameter=parameter, expected=Text("a text that PostgreSQL can store"))
    try:
        [values] = csv.reader([text], strict=True)
    except (csv.Error, ValueError):
        values = []
    if not 0 < len(values) <= MAX_VALUES:
        raise BadFilterValue(
            parameter=parameter, expected=Text("1 to {limit} values, separated by commas", limit=MAX_VALUES)
        )
    return values


def comparable_column(columns: Sequence[StatsColumn], name: str) -> StatsColumn:
    """Return a column that can be filtered. Raises `UnknownFilter` or `ColumnNotFilterable`."""
    column = next((one for one in columns if one.name == name), None)
    if column is None:
        raise UnknownFilter(parameter=name, columns=", ".join(one.name for one in columns))
    if column.equality is None:
        raise ColumnNotFilterable(parameter=name, type=column.type)
    return column


def parse_filters(columns: Sequence[StatsColumn], parameters: Mapping[str, str]) -> Mapping[str, Sequence[str]]:
    """Return the accepted values of each filtered column. Raises `FilterError`."""
    found = {}
    for name, text in parameters.items():
        found[name] = split_values(name, text)
        require_constants(comparable_column(columns, name), found[name])
    return found


def require_constants(column: StatsColumn, values: Sequence[str]) -> None:
    """Raise `BadFilterValue` if a value may mean another one tomorrow."""
    if column.is_time and not all(map(_PLAIN_TIME.fullmatch, values)):
        raise BadFilterValue(
            parameter=column.name, expected=Text("a value of the type {type}, in digits", type=column.type)
        )


def find_date_column(columns: Sequence[StatsColumn], *, configured: str | None, parameter: str | None) -> str | None:
    """Return the column that a period limits: the configured one, otherwise the only one with dates.

    Raises `NoDateColumn` if the parameter of a period is given, but there is no such column.
    """
    dates = [one.name for one in columns if one.is_date]
    chosen = [name for name in dates if name == configured] if configured else dates
    if len(chosen) == 1:
        return chosen[0]
    if parameter is None:
        return None
    found = (
        Text("several columns of dates: {columns}", columns=", ".join(chosen)) if chosen else Text("no column of dates")
    )
    raise NoDateColumn(parameter=parameter, found=found)
