"""What somebody can ask for. There is no request for "no arguments": everything has to be asked for by name."""

from dataclasses import dataclass

from seeder.domain.manifests import ReportType
from seeder.domain.names import ViewName


@dataclass(frozen=True, kw_only=True, slots=True)
class Everything:
    """Every enabled manifest of every agency, or those of one report type."""

    report_type: ReportType | None = None

    def __str__(self) -> str:
        return f"any {self.report_type} report" if self.report_type else "any report"


@dataclass(frozen=True, kw_only=True, slots=True)
class OneAgency:
    """The enabled manifests of one agency."""

    slug: str

    def __str__(self) -> str:
        return f"the agency {self.slug!r}"


@dataclass(frozen=True, kw_only=True, slots=True)
class OneView:
    """One view, for whichever enabled manifests name it."""

    name: ViewName

    def __str__(self) -> str:
        return f"the view {self.name}"


RefreshRequest = Everything | OneAgency | OneView
