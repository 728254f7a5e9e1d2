"""The query parameters of the monitoring page."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from django.http import QueryDict

from seeder.domain.manifests import ReportType
from seeder.domain.monitoring.report_jobs import JobFilter, JobPageRequest
from seeder.domain.outcomes import Status
from seeder.domain.view_names import is_storable_text

PER_PAGE = 50
_MAX_PAGE = 10_000  # more than any list has, and small enough for an OFFSET


class ViewFilter(StrEnum):
    """Which views are listed."""

    ALL = ""
    FRESH = "fresh"
    FAILING = "failing"
    RUNNING = "running"
    LATE = "late"
    LONG = "long"

    @property
    def label(self) -> str:
        return "long-running" if self is ViewFilter.LONG else self.value or "all"


_JOB_FILTERS: Mapping[ViewFilter, Mapping[str, bool | Status]] = {
    ViewFilter.ALL: {},
    ViewFilter.FRESH: {"failing": False, "stale": False},
    ViewFilter.FAILING: {"failing": True},
    ViewFilter.RUNNING: {"status": Status.RUNNING},
    ViewFilter.LATE: {"stale": True},
    ViewFilter.LONG: {"long_running": True},
}


@dataclass(frozen=True, kw_only=True, slots=True)
class MonitoringQuery:
    """Filters and page number. Invalid parameters are ignored."""

    search: str
    agency: str
    report_type: ReportType | None
    view_filter: ViewFilter
    page: int  # from 1

    def job_filter(self, agencies: list[str] | None, view_filter: ViewFilter) -> JobFilter:
        return JobFilter(
            visible_agencies=agencies,
            agency=self.agency or None,
            report_type=self.report_type,
            search=self.search or None,
            **_JOB_FILTERS[view_filter],  # type: ignore[arg-type]  # _JOB_FILTERS has matching types
        )

    @property
    def page_request(self) -> JobPageRequest:
        return JobPageRequest(limit=PER_PAGE, offset=(self.page - 1) * PER_PAGE)

    @property
    def is_filtered(self) -> bool:
        return bool(self.search or self.agency or self.report_type or self.view_filter)


def parse_monitoring_query(query: QueryDict) -> MonitoringQuery:
    values = {key: str(value).strip() for key, value in query.items() if is_storable_text(str(value))}
    page, report_type, show = values.get("page", ""), values.get("type", ""), values.get("show", "")
    return MonitoringQuery(
        search=values.get("q", ""),
        agency=values.get("agency", ""),
        report_type=ReportType(report_type) if report_type in set(ReportType) else None,
        view_filter=ViewFilter(show) if show in set(ViewFilter) else ViewFilter.ALL,
        page=min(max(int(page), 1), _MAX_PAGE) if page.isascii() and page.isdigit() and len(page) < 9 else 1,
    )
