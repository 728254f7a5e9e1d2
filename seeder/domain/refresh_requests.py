"""What somebody can ask for. There is no request for "no arguments": everything has to be asked for by name."""

from dataclasses import dataclass

from seeder.domain.manifests import ReportType
from seeder.domain.view_names import ViewName


@dataclass(frozen=True, kw_only=True, slots=True)
class AllReports:
    """Every enabled manifest of every agency, or those of one report type."""

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

    @property
    def description(self) -> str:
        return str(self)


@dataclass(frozen=True, kw_only=True, slots=True)
class SingleView:
    """One view, for whichever enabled manifests name it."""

    name: ViewName

    def __str__(self) -> str:
        return f"the view {self.name}"

    @property
    def description(self) -> str:
        return str(self)


@dataclass(frozen=True, kw_only=True, slots=True)
class SelectedManifests:
    """These manifests, as far as they are enabled: what is left of a wider request, or a part of it."""

    manifests: frozenset[tuple[ReportType, int]]
    description: str  # the wider request, in words

    def __str__(self) -> str:
        return self.description


RefreshRequest = AllReports | AgencyReports | SingleView | SelectedManifests
