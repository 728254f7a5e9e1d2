"""Requests to refresh views. No arguments never means all reports: that is its own request."""

import re
from collections.abc import Mapping
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


_STORED: Mapping[str, str] = {  # descriptions as rows have them, and their templates
    r"every report": "every report",
    r"every (?P<report_type>\w+) report": "every {report_type} report",
    r"the agency '(?P<slug>[^']*)'": "the agency {slug!r}",
    r"the view (?P<view>.*) with up to (?P<number>\d+) changed rows of each kind": (
        "the view {view} with up to {number} changed rows of each kind"
    ),
    r"the view (?P<view>.*)": "the view {view}",
    r"the views that depend on (?P<relations>.*)": "the views that depend on {relations}",
    r"views that are due": "views that are due",
    r"views without a freshness contract": "views without a freshness contract",
    r"what failed in the run (?P<run_id>\S*)": "what failed in the run {run_id}",
}


def description_text(stored: str) -> str:
    """Return the description of a row as a text, if it is one of a single request."""
    for pattern, template in _STORED.items():
        if found := re.fullmatch(pattern, stored):
            return Text(template, **found.groupdict())
    return stored


RefreshRequest = AllReports | AgencyReports | SingleView | SelectedManifests
