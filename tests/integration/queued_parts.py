"""A queued part of counting and failing views."""

from seeder.domain.refresh_requests import AgencyReports
from seeder.models import QueuedRefresh
from seeder.services.queue.enqueue import enqueue_refresh
from tests.conftest import create_canned_report, create_custom_manifest, sql


def enqueue_part() -> QueuedRefresh:
    """Queue a part of two counting views and one that fails."""
    sql("CREATE SEQUENCE reporting.refreshes")
    create_custom_manifest("reporting.a", "SELECT nextval('reporting.refreshes') AS n")
    create_canned_report("reporting.b", "SELECT nextval('reporting.refreshes') AS n", agencies=("demo",))
    create_custom_manifest("reporting.c", "SELECT 1 / 0 AS n")
    [queued] = enqueue_refresh(AgencyReports(slug="demo"), requested_by="an operator").parts
    return QueuedRefresh.objects.get(pk=queued.id)
