"""Search by a part of a view's name: among the views, which are few, and then along an index of their rows."""

from collections.abc import Sequence

from django.db import DEFAULT_DB_ALIAS
from django.db.models import Q

from seeder import conf
from seeder.domain.view_names import normalize_name
from seeder.models import JobStatus
from seeder.postgres import history_search
from seeder.services.read_models import agency_scope

MAX_NAMES = 200  # those of the latest refreshes
_MAX_ROWS = 10_000  # of all of them


def matching_names(term: str, agencies: list[str] | None = None) -> Sequence[str]:
    """Return the names that contain a text, as manifests spell them, the view that ran last first."""
    rows = JobStatus.objects.filter(Q(table_name__icontains=term) | Q(table_name__in=agency_scope.name_spellings(term)))
    if agencies is not None:
        rows = rows.filter(table_name__in=agency_scope.tables_of(agencies))
    return list(rows.order_by("-start_time", "table_name").values_list("table_name", flat=True)[:MAX_NAMES])


def latest_history(term: str, agencies: list[str] | None) -> Sequence[int]:
    """Return the ids of the latest history rows of views whose names contain a text.

    Reads at most 10,000 rows, along an index: as many of each view.
    """
    names = matching_names(term, agencies)
    if not names:
        return []
    return history_search.latest_rows(names, agencies, max_rows_per_name=_MAX_ROWS // len(names))


def notified_subjects(term: str) -> Sequence[str]:
    """Return the subjects of notifications about views whose names contain a text."""
    aliases = {DEFAULT_DB_ALIAS, *conf.load().databases.values()}
    names = {normalize_name(name) for name in [term, *matching_names(term)]}
    return [f"{alias}:{name}" for name in sorted(names) for alias in sorted(aliases)]
