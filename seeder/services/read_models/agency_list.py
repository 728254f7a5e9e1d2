"""Agencies with the totals of their jobs, limited to the visible ones."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from seeder.domain.monitoring.agency_totals import AgencyTotals
from seeder.domain.monitoring.report_jobs import JobFilter
from seeder.errors import UnknownAgency
from seeder.services.read_models import job_list
from seeder.services.read_models.keyset_pagination import Cursor, CursorPage


def agencies_of(agencies: list[str] | None) -> Sequence[AgencyTotals]:
    """Return the agencies with manifests, also disabled ones, by slug. Raises `ConfigurationError`."""
    by_slug = {one.slug: one for one in job_list.agency_totals(JobFilter(visible_agencies=agencies)) if one.slug}
    return [by_slug[slug] for slug in sorted(by_slug)]


def find_agency(slug: str, agencies: list[str] | None) -> AgencyTotals:
    """Raises `UnknownAgency`, also for a hidden agency, or `ConfigurationError`."""
    for found in job_list.agency_totals(JobFilter(visible_agencies=agencies, agencies=[slug])):
        if found.slug == slug:
            return found
    raise UnknownAgency(slug=slug, suggestion="")


def fetch_page(rows: Sequence[AgencyTotals], cursor: Cursor | None, *, max_rows: int) -> CursorPage:
    """Return the page at a cursor, or the first page without one."""
    slugs = [str(row.slug) for row in rows]
    begin, end = 0, max_rows
    if cursor is not None and cursor.is_backward:
        end = bisect_left(slugs, str(cursor.key))
        begin = max(end - max_rows, 0)
    elif cursor is not None:
        begin = bisect_right(slugs, str(cursor.key))
        end = begin + max_rows
    page = rows[begin:end]
    if not page:
        return CursorPage(rows=page, next=None, previous=None)
    return CursorPage(
        rows=page,
        next=Cursor(instant=None, key=str(page[-1].slug)) if end < len(rows) else None,
        previous=Cursor(instant=None, key=str(page[0].slug), is_backward=True) if begin else None,
    )
