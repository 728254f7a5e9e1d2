"""Requests to refresh views. No arguments never means all reports: that is its own request."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from string import Formatter

from seeder.domain.manifests import ManifestKey, ReportType
from seeder.domain.view_names import ViewName
from seeder.texts import Text

EVERY_REPORT = Text("every report")
EVERY_REPORT_OF_TYPE = Text("every {report_type} report", report_type="")
ONE_AGENCY = Text("the agency {slug!r}", slug="")
ONE_VIEW_WITH_CHANGES = Text("the view {view} with up to {number} changed rows of each kind", view="", number=0)
ONE_VIEW = Text("the view {view}", view="")
DEPENDENT_VIEWS = Text("the views that depend on {relations}", relations="")
DUE_VIEWS = Text("views that are due")
VIEWS_WITHOUT_CONTRACT = Text("views without a freshness contract")
REST_OF_RUN = Text("what failed in the run {run_id}", run_id="")


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
            return EVERY_REPORT
        return EVERY_REPORT_OF_TYPE.with_arguments(report_type=self.report_type)


@dataclass(frozen=True, kw_only=True, slots=True)
class AgencyReports:
    """The enabled manifests of one agency."""

    slug: str

    def __str__(self) -> str:
        return ONE_AGENCY.with_arguments(slug=self.slug)

    description = property(__str__)


@dataclass(frozen=True, kw_only=True, slots=True)
class SingleView:
    """One view, for all enabled manifests that name it."""

    name: ViewName
    max_changed_rows: int | None = None  # that the refresh stores, of each kind; None for none

    def __str__(self) -> str:
        return ONE_VIEW.with_arguments(view=str(self.name))

    @property
    def description(self) -> str:
        if self.max_changed_rows is None:
            return str(self)
        return ONE_VIEW_WITH_CHANGES.with_arguments(view=str(self.name), number=self.max_changed_rows)


@dataclass(frozen=True, kw_only=True, slots=True)
class SelectedManifests:
    """The enabled ones of these manifests: a part or the rest of a wider request."""

    manifests: frozenset[ManifestKey]
    description: str  # of the wider request

    def __str__(self) -> str:
        return self.description


_DESCRIPTIONS = (  # the first that matches a row counts
    *(EVERY_REPORT, EVERY_REPORT_OF_TYPE, ONE_AGENCY, ONE_VIEW_WITH_CHANGES, ONE_VIEW),
    *(DEPENDENT_VIEWS, DUE_VIEWS, VIEWS_WITHOUT_CONTRACT, REST_OF_RUN),
)
_ARGUMENTS: Mapping[str, str] = {"report_type": r"\w+", "slug": r"[^']*", "number": r"\d+", "run_id": r"\S*"}


def description_text(stored: str) -> str:
    """Return the description of a row as a text, if it is one of a single request."""
    for text in _DESCRIPTIONS:
        if found := _pattern(text.template).fullmatch(stored):
            return text.with_arguments(**found.groupdict())
    return stored


@cache
def _pattern(template: str) -> re.Pattern[str]:
    """Return the pattern that matches the sentences of a template."""
    return re.compile("".join(_pattern_parts(template)))


def _pattern_parts(template: str) -> Iterator[str]:
    for literal, name, _, conversion in Formatter().parse(template):
        yield re.escape(literal)
        if name:
            argument = f"(?P<{name}>{_ARGUMENTS.get(name, '.*')})"
            yield f"'{argument}'" if conversion == "r" else argument


RefreshRequest = AllReports | AgencyReports | SingleView | SelectedManifests
