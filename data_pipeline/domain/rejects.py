"""Rejected records, the problems of their columns, and the limits."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from seeder.texts import Text

MAX_RAW_BYTES = 64 * 1024
MAX_TEXT_LENGTH = 1000  # characters of a reason or a value


class RejectState(StrEnum):
    """The closed set of the column `load_reject.state`."""

    OPEN = "open"
    REPLAYED = "replayed"
    DISMISSED = "dismissed"


_COUNTS = {
    RejectState.OPEN: Text.counted_in_context("rejects", "{number:,} open", "{number:,} open", 0),
    RejectState.REPLAYED: Text.counted_in_context("rejects", "{number:,} replayed", "{number:,} replayed", 0),
    RejectState.DISMISSED: Text.counted_in_context("rejects", "{number:,} dismissed", "{number:,} dismissed", 0),
}


def count_text(state: RejectState, number: int) -> Text:
    """Return the number of rejects in a state."""
    return _COUNTS[state].with_number(number)


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """Why a column, or the record as a whole, was refused."""

    column: str | None  # None for the record as a whole
    sqlstate: str
    reason: str  # PostgreSQL's message, or that of this app
    value: str | None = None  # the text in the file, if the problem is of a column

    def __post_init__(self) -> None:
        """Cut long texts.

        A value can have 20 MB, and PostgreSQL repeats it in its message.
        """
        if len(self.reason) > MAX_TEXT_LENGTH:  # shorter ones keep their template
            object.__setattr__(self, "reason", self.reason[:MAX_TEXT_LENGTH])
        object.__setattr__(self, "value", self.value and self.value[:MAX_TEXT_LENGTH])

    def __str__(self) -> str:
        """Return the reason, after the column if there is one."""
        return Text.joined([self.column, self.reason], ": ") if self.column else self.reason


@dataclass(frozen=True, kw_only=True, slots=True)
class Reject:
    """A record that cannot be loaded."""

    line_no: int  # physical line at which it begins, from 1
    record_no: int  # from 1, without the header
    raw: bytes  # as in the file, without the line end
    problems: Sequence[Problem]


@dataclass(frozen=True, kw_only=True, slots=True)
class RejectLimits:
    """How many records may be rejected before the load is rolled back."""

    max_rejects: int | None  # records; None for no limit
    max_ratio: float | None = None  # share of all records, from 0 to 1; None for no limit

    def exceeded(self, *, rejected: int, records: int) -> bool:
        """Return whether a load with these figures must be rolled back."""
        is_over_number = self.max_rejects is not None and rejected > self.max_rejects
        return is_over_number or (self.max_ratio is not None and rejected > self.max_ratio * records)

    def surely_exceeded(self, *, rejected: int) -> bool:
        """Return whether the limit is exceeded however many records follow."""
        return self.max_rejects is not None and rejected > self.max_rejects

    @property
    def text(self) -> str:
        """The limits for a message."""
        number = None if self.max_rejects is None else str(self.max_rejects)
        ratio = None if self.max_ratio is None else f"{self.max_ratio:.2%}"
        return " and ".join(filter(None, [number, ratio]))
