"""Requests to refresh views. No arguments never means all reports: that is its own request."""

from dataclasses import dataclass

from seeder.domain.manifests import ManifestKey, ReportType
from seeder.domain.view_names import ViewName


@dataclass(frozen=True, kw_only=True, slots=True)
class AllReports:
    """All enabled manifests of all agencies, or those of one report type."""

    report_type: ReportType | None = None

    def __str__(self) -> str:
        return f"any {self.report_type} report" if self.report_type else "any report"

    @property
    def description(self) -> str:
        return f"every {self.report_type} report" if self.report_type else "every report"


@dataclass(frozen=True, kw_only=True, slots=True)
class AgencyReports:
    """The enabled manifests of one agency."""

    slug: str

    def __str__(self) -> str:
        return f"the agency {self.slug!r}"

    description = property(__str__)


@dataclass(frozen=True, kw_only=True, slots=True)
class SingleView:
    """One view, for all enabled manifests that name it."""

    name: ViewName
    max_changed_rows: int | None = None  # that the refresh stores, of each kind; None for none

    def __str__(self) -> str:
        return f"the view {self.name}"

    @property
    def description(self) -> str:
        if self.max_changed_rows is None:
            return str(self)
        return f"{self} with up to {self.max_changed_rows} changed rows of each kind"


@dataclass(frozen=True, kw_only=True, slots=True)
class SelectedManifests:
    """The enabled ones of these manifests: a part or the rest of a wider request."""

    manifests: frozenset[ManifestKey]
    description: str  # of the wider request

    def __str__(self) -> str:
        return self.description


RefreshRequest = AllReports | AgencyReports | SingleView | SelectedManifests
