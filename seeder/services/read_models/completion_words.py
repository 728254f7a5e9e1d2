"""Names that a shell completes: agencies, views, runs and requests."""

from typing import Any

from django.db.models import QuerySet

from seeder.domain.view_names import DEFAULT_SCHEMA
from seeder.models import CannedReport, CannedReportManifest, CustomReportManifest, QueuedRefresh, Run
from seeder.services.queue import part_rows

_MAX_WORDS = 200  # more than a person reads, and few enough for a key press


def agencies(prefix: str) -> list[str]:
    """Return the agencies with reports whose slug begins so."""
    custom, canned = (
        manifests.filter(agency_slug__startswith=prefix).values_list("agency_slug")
        for manifests in (CustomReportManifest.objects.enabled(), CannedReportManifest.objects.all())
    )
    return _words(custom.union(canned))


def views(prefix: str) -> list[str]:
    """Return the views of reports whose name begins so, as manifests spell it or with the default schema."""
    schema = f"{DEFAULT_SCHEMA}."
    words = _spelled_views(prefix)
    if prefix.startswith(schema):
        words += [f"{schema}{word}" for word in _spelled_views(prefix.removeprefix(schema)) if "." not in word]
    return words


def _spelled_views(prefix: str) -> list[str]:
    custom, canned = (
        model.objects.filter(table_name__startswith=prefix).values_list("table_name")
        for model in (CustomReportManifest, CannedReport)
    )
    return _words(custom.union(canned))


def runs(prefix: str) -> list[str]:
    """Return the latest runs whose id begins so."""
    return _words(Run.objects.filter(run_id__startswith=prefix).order_by("-started_at").values_list("run_id"))


def open_requests(prefix: str) -> list[str]:
    """Return the open requests, and the open runs, whose id begins so."""
    words = _words(Run.objects.unfinished().filter(run_id__startswith=prefix).values_list("run_id"))
    if part_rows.is_available():
        unfinished = QueuedRefresh.objects.unfinished().filter(request_id__startswith=prefix)
        words += _words(unfinished.values_list("request_id").distinct())
    return words


def _words(rows: QuerySet[Any, tuple[str]]) -> list[str]:
    return [word for (word,) in rows[:_MAX_WORDS]]
