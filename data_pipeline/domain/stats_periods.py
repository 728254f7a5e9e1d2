"""The days that a statistic covers."""

from dataclasses import dataclass
from datetime import date

from data_pipeline.stats_errors import BadFilterValue, PeriodTooLong
from seeder.texts import Text


@dataclass(frozen=True, kw_only=True, slots=True)
class Period:
    """The requested days, and those that the answer covers. Both ends are included."""

    requested_from: date | None
    requested_to: date | None
    first: date
    last: date

    @property
    def is_clamped(self) -> bool:
        """Whether the answer begins later than requested."""
        return self.requested_from is not None and self.requested_from < self.first


def clamp_period(
    date_from: date | None, date_to: date | None, *, today: date, max_days: int, require_clamp: bool
) -> Period:
    """Return the period, which begins at most `max_days` before its end.

    It ends today by default. Raises `BadFilterValue` if it ends before it begins, and `PeriodTooLong` instead of moving
    the beginning if `require_clamp` is set.
    """
    last = date_to or today
    earliest = date.fromordinal(max(last.toordinal() - max_days, 1))
    first = date_from or earliest
    if first > last:
        raise BadFilterValue(parameter="date_from", expected=Text("a day until {last}", last=last))
    if first < earliest and require_clamp:
        raise PeriodTooLong(date_from=first, date_to=last, days=max_days, earliest=earliest)
    return Period(requested_from=date_from, requested_to=date_to, first=max(first, earliest), last=last)
