"""Numbers and ages of jobs, of one agency or of all."""

from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from enum import StrEnum


@dataclass(frozen=True, kw_only=True, slots=True)
class AgencyTotals:
    """The enabled manifests of an agency, by the latest state of their views. A manifest can be of several kinds."""

    slug: str | None  # None: of all agencies together
    agency_id: int | None  # None of all agencies
    manifests: int
    views: int
    never_run: int
    pending: int
    running: int
    success: int
    error: int
    failing: int
    stale: int
    long_running: int
    last_success_at: datetime | None  # start of the latest successful refresh of any of the views


class DataDay(StrEnum):
    """When the views of an agency were refreshed."""

    TODAY = "today"  # all of them
    PARTLY_TODAY = "partly today"  # all that neither fail nor are late
    EARLIER = "earlier"


@dataclass(frozen=True, kw_only=True, slots=True)
class AgencyAge:
    """How old the views of an agency are, and how many are in trouble. A view counts once."""

    slug: str
    failing: int
    late: int
    oldest_success_at: datetime | None  # of the view that was refreshed longest ago; None if one never was
    oldest_fresh_at: datetime | None  # the same of the views that neither fail nor are late; None without any

    @property
    def sign(self) -> str:
        """The sign and colour of the agency: error, late or success."""
        if self.failing:
            return "error"
        return "late" if self.late else "success"

    def day_of_data(self, today: date, zone: tzinfo) -> DataDay:
        """Return which views were refreshed on this day of a time zone."""
        oldest, oldest_fresh = (
            at is not None and at.astimezone(zone).date() >= today
            for at in (self.oldest_success_at, self.oldest_fresh_at)
        )
        if oldest:
            return DataDay.TODAY
        return DataDay.PARTLY_TODAY if oldest_fresh else DataDay.EARLIER
