"""Requests to refresh views. No arguments never means all reports: that is its own request."""

from dataclasses import dataclass

from seeder.domain.manifests import ManifestKey, ReportType
from seeder.domain.view_names import ViewName
from seeder.texts import Text


@dataclass(frozen=True, kw_only=True, slots=True)
class AllReports:
    """All enabled manifests of all agencies, or those of one report type."""

    report_type: ReportType | None = None

    def __str__(self) -> str:
        if self.report_type is None:
            return Text("any report")
        return Text("any {report_type} report", report_type=self.report_type)

    @property
    def description(self) -> str:
        if self.report_type is None:
            return Text("every report")
        return Text("every {report_type} report", report_type=self.report_type)


@dataclass(frozen=True, kw_only=True, slots=True)
class AgencyReports:
    """The enabled manifests of one agency."""

    slug: str

    def __str__(self) -> str:
        return Text("the agency {slug!r}", slug=self.slug)

    description = property(__str__)


@dataclass(frozen=True, kw_only=True, slots=True)
class SingleView:
    """One view, for all enabled manifests that name it."""

    name: ViewName
    max_changed_rows: int | None = None  # that the refresh stores, of each kind; None for none

    def __str__(self) -> str:
        return Text("the view {view}", view=str(self.name))

    @property
    def description(self) -> str:
        if self.max_changed_rows is None:
            return str(self)
        return Text(
            "the view {view} with up to {number} changed rows of each kind",
            view=str(self.name),
            number=self.max_changed_rows,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class SelectedManifests:
    """The enabled ones of these manifests: a part or the rest of a wider request."""

    manifests: frozenset[ManifestKey]
    description: str  # of the wider request

    def __str__(self) -> str:
        return self.description


RefreshRequest = AllReports | AgencyReports | SingleView | SelectedManifests
