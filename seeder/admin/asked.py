"""What the address of the monitoring page asks for."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from django.http import QueryDict

from seeder.domain.jobs import JobFilter, JobPageRequest
from seeder.domain.manifests import ReportType
from seeder.domain.names import is_storable_text
from seeder.domain.outcomes import Status

PER_PAGE = 50
_LAST = 10_000  # no list is longer, and no number too large for the database


class Show(StrEnum):
    """Which of the views."""

    ALL = ""
    FRESH = "fresh"
    FAILING = "failing"
    RUNNING = "running"
    LATE = "late"
    LONG = "long"

    @property
    def words(self) -> str:
        return "long-running" if self is Show.LONG else self.value or "all"


_NARROWED: Mapping[Show, Mapping[str, bool | Status]] = {
    Show.ALL: {},
    Show.FRESH: {"failing": False, "stale": False},
    Show.FAILING: {"failing": True},
    Show.RUNNING: {"status": Status.RUNNING},
    Show.LATE: {"stale": True},
    Show.LONG: {"long_running": True},
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """What cannot be read narrows nothing."""

    search: str
    agency: str
    report_type: ReportType | None
    show: Show
    page: int  # from 1 on

    def wanted(self, agencies: list[str] | None, show: Show) -> JobFilter:
        return JobFilter(
            visible_agencies=agencies,
            agency=self.agency or None,
            report_type=self.report_type,
            search=self.search or None,
            **_NARROWED[show],  # type: ignore[arg-type]  # the right ones, see there
        )

    @property
    def listing(self) -> JobPageRequest:
        return JobPageRequest(limit=PER_PAGE, offset=(self.page - 1) * PER_PAGE)

    @property
    def narrows(self) -> bool:
        return bool(self.search or self.agency or self.report_type or self.show)


def read(query: QueryDict) -> Asked:
    given = {key: str(value).strip() for key, value in query.items() if is_storable_text(str(value))}
    page, kind, show = given.get("page", ""), given.get("type", ""), given.get("show", "")
    return Asked(
        search=given.get("q", ""),
        agency=given.get("agency", ""),
        report_type=ReportType(kind) if kind in set(ReportType) else None,
        show=Show(show) if show in set(Show) else Show.ALL,
        page=min(max(int(page), 1), _LAST) if page.isascii() and page.isdigit() and len(page) < 9 else 1,
    )
