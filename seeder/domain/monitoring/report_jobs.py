"""Jobs: manifests with the latest state of their views."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from seeder.domain.human_format import format_count
from seeder.domain.manifests import ManifestKey, ReportType
from seeder.domain.monitoring.view_counts import count_text
from seeder.domain.outcomes import Status
from seeder.texts import Text


@dataclass(frozen=True, kw_only=True, slots=True)
class LatestState:
    """How the last refresh of a view ended, or that it runs."""

    status: Status
    reason: str | None  # of the latest refresh that ended with this status; None if not recorded
    is_interrupted: bool  # its run was stopped or killed


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """One manifest, or one view represented by its first manifest."""

    report_type: ReportType
    manifest_id: int
    table_name: str  # as spelled in the manifest
    report_name: str
    agency_id: int
    agency_slug: str
    agencies: Sequence[str]  # of all manifests that the user may see
    status: Status | None  # None if it never ran
    is_interrupted: bool  # its run was stopped or killed; the status is then an error
    start_time: datetime | None  # of its last refresh
    duration_seconds: int | None
    consecutive_failures: int
    last_run_id: str | None
    errors: str | None
    last_success_at: datetime | None  # start of the last successful refresh
    usual_duration: timedelta | None  # duration of that refresh, only if it is running now
    failing: bool  # its last finished refresh failed
    stale: bool  # misses a contract; without one, last success is longer ago than SEEDER_STALE_HOURS; or never
    long_running: bool  # running longer than SEEDER_LONG_RUNNING_FACTOR times its usual duration

    @property
    def key(self) -> ManifestKey:
        return self.report_type, self.manifest_id


@dataclass(frozen=True, kw_only=True, slots=True)
class JobPage:
    """One page of jobs."""

    jobs: Sequence[Job]
    total: int  # of all pages; 0 beyond the last page


@dataclass(frozen=True, kw_only=True, slots=True)
class TroubledJobs:
    """The first jobs of each kind of trouble. A job can be of several."""

    failing: JobPage
    long_running: JobPage
    late: JobPage  # stale, and not failing


class GroupBy(StrEnum):
    """What a row of the list represents."""

    MANIFEST = "by_manifest"
    VIEW = "by_view"


class SortKey(StrEnum):
    """Sort keys of jobs. Ties are sorted by table name."""

    ATTENTION = "attention"  # long-running, then failing, then stale
    TABLE_NAME = "tableName"
    REPORT_NAME = "reportName"
    AGENCY = "agencySlug"
    STATUS = "status"
    START_TIME = "startTime"
    DURATION = "durationSeconds"
    FAILURES = "consecutiveFailures"


@dataclass(frozen=True, kw_only=True, slots=True)
class ContractedViews:
    """Which views have freshness contracts, and which of them are late. Names are as manifests spell them."""

    late_tables: list[str] = field(default_factory=list)  # they miss a contract of severity error
    contract_agencies: list[str] = field(default_factory=list)  # whose views all have a contract
    contract_tables: list[str] = field(default_factory=list)  # views with contracts of their own
    unjudged_tables: list[str] = field(default_factory=list)  # it is unknown as of when their data are


@dataclass(frozen=True, kw_only=True, slots=True)
class JobFilter:
    """Filter of jobs. None means any."""

    visible_agencies: list[str] | None = None  # agencies that the user may see
    agencies: list[str] | None = None
    report_types: list[ReportType] | None = None
    manifest_id: int | None = None
    table_name: str | None = None
    search: str | None = None  # part of the table's or the report's name, in any case
    statuses: list[Status] | None = None
    failing: bool | None = None
    stale: bool | None = None
    long_running: bool | None = None
    contracted: ContractedViews | None = None  # if they are known already; filters nothing


@dataclass(frozen=True, kw_only=True, slots=True)
class JobCursor:
    """The job beside which a page begins."""

    sort_value: str | None  # value of the sort key as JSON text; None if it has none
    table_name: str
    report_type: ReportType
    manifest_id: int
    is_backward: bool = False  # the page is before the job, otherwise after it


@dataclass(frozen=True, kw_only=True, slots=True)
class JobPageRequest:
    """A page of jobs in an order, by its offset or its cursor."""

    sort_key: SortKey = SortKey.ATTENTION
    descending: bool = True
    limit: int | None = 50  # None: all
    offset: int = 0
    cursor: JobCursor | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class JobTotals:
    """Numbers of jobs by kind. A job can be of several kinds."""

    jobs: int
    fresh: int  # neither stale nor failing
    failing: int
    running: int
    long_running: int
    stale: int

    @property
    def late(self) -> int:
        """The number of jobs that are stale and do not fail."""
        return self.jobs - self.fresh - self.failing

    def __str__(self) -> Text:
        running = count_text("running", self.running)
        if self.long_running:
            running = Text("{running} ({number:,} for too long)", running=running, number=self.long_running)
        fresh, failing = count_text("fresh", self.fresh), count_text("failing", self.failing)
        facts = Text.joined([fresh, failing, running, count_text("late", self.late)])
        return Text("{views}: {facts}", views=format_count(self.jobs, "view"), facts=facts)
