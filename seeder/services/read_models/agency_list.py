"""Agencies with the totals of their jobs, limited to the visible ones."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from seeder.domain.monitoring.agency_totals import AgencyTotals
from seeder.domain.monitoring.report_jobs import JobFilter
from seeder.errors import UnknownAgency
from seeder.services.read_models import agency_scope, job_list
from seeder.services.read_models.keyset_pagination import Cursor, CursorPage


@dataclass(frozen=True, kw_only=True, slots=True)
class AgencyPage(CursorPage):
    """A page of agencies, with the number of all visible ones."""

    rows: Sequence[AgencyTotals]
    count: int


def find_agency(slug: str, agencies: list[str] | None) -> AgencyTotals:
    """Raises `UnknownAgency`, also for a hidden agency, or `ConfigurationError`."""
    for found in _totals_of([slug], agencies):
        return found
    raise UnknownAgency(slug=slug, suggestion="")


def fetch_page(agencies: list[str] | None, cursor: Cursor | None, *, max_rows: int) -> AgencyPage:
    """Return the page at a cursor, or the first one, of the agencies with manifests, also disabled ones, by slug.

    Only the jobs of the page's agencies are counted. Raises `ConfigurationError`.
    """
    slugs = sorted(agency_scope.ids_of(agencies))
    begin, end = 0, max_rows
    if cursor is not None and cursor.is_backward:
        end = bisect_left(slugs, str(cursor.key))
        begin = max(end - max_rows, 0)
    elif cursor is not None:
        begin = bisect_right(slugs, str(cursor.key))
        end = begin + max_rows
    page = slugs[begin:end]
    return AgencyPage(
        rows=_totals_of(page, agencies),
        next=Cursor(instant=None, key=page[-1]) if page and end < len(slugs) else None,
        previous=Cursor(instant=None, key=page[0], is_backward=True) if page and begin else None,
        count=len(slugs),
    )


def _totals_of(slugs: list[str], agencies: list[str] | None) -> Sequence[AgencyTotals]:
    """Return the totals of the visible agencies among these, by slug."""
    totals = job_list.agency_totals(JobFilter(visible_agencies=agencies, agencies=slugs))
    return sorted(totals, key=lambda one: str(one.slug))
