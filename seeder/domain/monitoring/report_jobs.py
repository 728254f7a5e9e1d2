"""Jobs: manifests with the latest state of their views, as the monitoring list shows them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from seeder.domain.manifests import ReportType
from seeder.domain.outcomes import Status


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """One manifest, or one view with all the manifests that want it, of which the first then speaks for it."""

    report_type: ReportType
    manifest_id: int
    table_name: str  # as the manifest spells it
    report_name: str
    agency_id: int
    agency_slug: str
    agencies: Sequence[str]  # everybody's who wants it, as far as who asked may know
    status: Status | None  # None where it never ran
    start_time: datetime | None  # of its last refresh
    duration_seconds: int | None
    consecutive_failures: int
    last_run_id: str | None
    errors: str | None
    last_success_at: datetime | None  # when the last good refresh began
    usual_duration: timedelta | None  # how long that took; only of one that runs now
    failing: bool  # it failed last, be it that it runs again
    stale: bool  # its last success is longer ago than SEEDER_STALE_HOURS, or there never was one
    long_running: bool  # for longer than SEEDER_LONG_RUNNING_FACTOR times its usual duration, up to now


class GroupBy(StrEnum):
    """What stands for one line of the list."""

    MANIFEST = "by_manifest"
    VIEW = "by_view"


class SortKey(StrEnum):
    """How jobs can be sorted; the table's name decides between equals."""

    ATTENTION = "attention"  # what runs too long, then what fails, then what is stale
    TABLE_NAME = "tableName"
    REPORT_NAME = "reportName"
    AGENCY = "agencySlug"
    STATUS = "status"
    START_TIME = "startTime"
    DURATION = "durationSeconds"
    FAILURES = "consecutiveFailures"


@dataclass(frozen=True, kw_only=True, slots=True)
class JobFilter:
    """Which jobs. None is any."""

    visible_agencies: list[str] | None = None  # those that who asks may see
    agency: str | None = None
    report_type: ReportType | None = None
    manifest_id: int | None = None
    table_name: str | None = None
    search: str | None = None  # anywhere in the table's or the report's name, in either case
    status: Status | None = None
    failing: bool | None = None
    stale: bool | None = None
    long_running: bool | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class JobPageRequest:
    """Which page, in which order."""

    sort_key: SortKey = SortKey.ATTENTION
    descending: bool = True
    limit: int | None = 50  # None: all of them
    offset: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class StalenessLimits:
    """What is too long."""

    stale_after: timedelta
    long_running_factor: int  # times the usual duration


@dataclass(frozen=True, kw_only=True, slots=True)
class JobTotals:
    """How many jobs there are of each kind. One that fails can be stale as well, and run."""

    jobs: int
    fresh: int  # neither stale nor failing
    failing: int
    running: int
    long_running: int
    stale: int


@dataclass(frozen=True, kw_only=True, slots=True)
class RecentRun:
    """One refresh of a view, as a small picture shows it."""

    run_id: str
    status: Status
    start_time: datetime
    finish_time: datetime | None
    rows: int | None

    @property
    def duration(self) -> timedelta | None:
        return None if self.finish_time is None else self.finish_time - self.start_time
