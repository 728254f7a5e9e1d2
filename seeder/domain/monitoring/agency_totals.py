"""Numbers and ages of jobs, of one agency or of all."""

from dataclasses import dataclass
from datetime import datetime


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


@dataclass(frozen=True, kw_only=True, slots=True)
class AgencyAge:
    """How old the views of an agency are, and how many are in trouble."""

    slug: str
    failing: int
    stale: int
    oldest_success_at: datetime | None  # of the view that was refreshed longest ago; None if one never was

    @property
    def sign(self) -> str:
        """The sign and colour of the agency: error, late or success."""
        if self.failing:
            return "error"
        return "late" if self.stale else "success"
