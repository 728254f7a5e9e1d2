"""A URL for each page of both apps, and rows for all of them."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlencode

from django.contrib import admin
from django.db.models import Model
from django.urls import reverse
from django.utils import timezone

from data_pipeline.domain.load_requests import RequestAction
from data_pipeline.models import LoadDeadLetter, LoadLog, LoadReject, LoadRequest
from data_pipeline.services.load_requests import enqueue_action
from seeder.domain.refresh_requests import AllReports, SingleView
from seeder.domain.view_names import ViewName
from seeder.models import (
    CannedReport,
    CannedReportManifest,
    CustomReportManifest,
    DataCheck,
    Freshness,
    JobStatus,
    Mute,
    Notification,
    QueuedRefresh,
    ReleaseSnapshot,
    Run,
    RunHistory,
)
from seeder.services.freshness_links import create_link
from seeder.services.queue import enqueue
from seeder.services.run import orchestrator
from seeder.services.snapshots import release_snapshots
from tests.conftest import create_canned_report, create_custom_manifest, sql
from tests.integration.data_checks.checked_view import add_check, create_view
from tests.integration.data_pipeline.admin_scene import create_loads

VIEW = "reporting.monthly_totals_of_incidents_by_precinct_and_officer"
HELD, FAILED = "reporting.a", "reporting.bad"
_APPS = ("seeder", "data_pipeline")
_ROWS: tuple[type[Model], ...] = (
    *(CannedReport, CannedReportManifest, CustomReportManifest, DataCheck, JobStatus, Notification),
    *(ReleaseSnapshot, Run, RunHistory, LoadDeadLetter, LoadLog, LoadReject, LoadRequest),
)


def create_rows(folder: Path) -> None:
    """Create rows for all pages: loads, and a run with refreshed, skipped, failed, held and interrupted views."""
    create_loads(folder)
    create_custom_manifest(VIEW, "SELECT name AS n, count(*) AS orders FROM landing.orders GROUP BY 1", agency="harbor")
    create_custom_manifest(FAILED, "SELECT 1 / (n - 5) AS n FROM generate_series(1, 9) AS n", agency="metro")
    create_canned_report("reporting.shared", f"SELECT n FROM {VIEW}", agencies=("demo", "metro"))
    create_view()
    add_check("row_count", arguments={"max_drop": 0.05})
    orchestrator.execute_run(AllReports(), requested_by="operator@example.org")
    for tag in ("2026.11.0-rc.1", "2026.11.0-rc.2"):
        release_snapshots.capture_release_snapshot(VIEW, tag, release_version="4.12.0")
    sql("DELETE FROM reporting.source WHERE id > 500")
    orchestrator.execute_run(AllReports(), requested_by="operator@example.org")
    RunHistory.objects.filter(table_name="reporting.unrelated").update(status="error", errors="interrupted: SIGTERM")
    # A run that has not ended can be cancelled.
    summary = orchestrator.execute_run(SingleView(name=ViewName.parse(VIEW)), requested_by="operator@example.org")
    Run.objects.filter(run_id=summary.run_id).update(finished_at=None)
    enqueue.enqueue_refresh(AllReports(), requested_by="operator@example.org")
    enqueue_action(1, RequestAction.VERIFY, requested_by="operator@example.org")
    Freshness.objects.create(agency_slug="demo", target_lag=timedelta(hours=3))
    week = timezone.now() + timedelta(days=7)
    Mute.objects.create(database_alias="default", table_name=FAILED, reason="ticket 1", muted_by="ada", ends_at=week)
    error = "https://hooks.example.org/services/reporting did not answer within 10 seconds"
    Notification.objects.create(channel="webhook", event="view_failed", subject=FAILED, facts={}, error=error)


def urls_by_pattern() -> Mapping[str, Sequence[str]]:
    """Return the URLs of the pages by the name of their pattern."""
    tables = {"view": (VIEW, HELD, FAILED), "view_checks": (HELD,), "view_mute": (FAILED,)}
    base, compare = ReleaseSnapshot.objects.order_by("id").values_list("id", flat=True)
    running, whole = Run.objects.order_by("-started_at").values_list("run_id", flat=True)[:2]
    of_view = {
        name: [_url(name, query={"table": table}) for table in tables.get(name, (VIEW,))]
        for name in ("refresh", "view", "view_explanation", "view_checks", "view_mute")
    }
    request_id = QueuedRefresh.objects.latest("pk").request_id
    kinds = ("row_count", "unique", "accepted_values", "query", "drift")
    lists = {model: model._meta.label_lower.replace(".", "_") for model in _ROWS}
    return {
        **{f"seeder_{name}": urls for name, urls in of_view.items()},
        "seeder_monitoring": [_url("monitoring")],
        "seeder_monitoring_changelist": [_url("monitoring_changelist")],
        "seeder_monitoring_agency": [_url("monitoring_agency", "demo")],
        "seeder_cancel": [_url("cancel", query={"request": request_id})],
        "seeder_run_timeline": [
            _url("run_timeline", whole),
            _url("run_timeline", whole, query={"by": "view", "start": 0, "end": 0.2}),
            _url("run_timeline", running),
        ],
        "seeder_run_retry": [_url("run_retry", whole)],
        "seeder_run_cancel": [_url("run_cancel", running)],
        "seeder_check_decision": [
            _url("check_decision", query={"table": HELD, "decision": decision})
            for decision in ("publish_once", "accept")
        ],
        "seeder_freshness": [_url("freshness")],
        "seeder_freshness_link": [_url("freshness_link"), _url("freshness_link", query={"agency": "demo", "days": 90})],
        "seeder_drift": [_url("drift", query={"base": base, "compare": compare})],
        "seeder_customreportmanifest_add": [_url("customreportmanifest_add")],
        "seeder_cannedreportmanifest_add": [_url("cannedreportmanifest_add")],
        "seeder_datacheck_add": [
            _url("datacheck_add"),
            *(_url("datacheck_add", query={"view": HELD, "kind": kind}) for kind in kinds),
        ],
        **{
            f"data_pipeline_load_{action}": [reverse(f"admin:data_pipeline_load_{action}", args=[2])]
            for action in ("replay", "undo", "verify", "dismiss", "mute")
        },
        **{f"{name}_changelist": [reverse(f"admin:{name}_changelist")] for name in lists.values()},
        **{
            f"{name}_change": [reverse(f"admin:{name}_change", args=[_latest_key(model)])]
            for model, name in lists.items()
        },
    }


def _latest_key(model: type[Model]) -> object:
    return model._default_manager.order_by("-pk").values_list("pk", flat=True)[0]


def _url(name: str, *arguments: object, query: Mapping[str, object] | None = None) -> str:
    url = reverse(f"admin:seeder_{name}", args=arguments)
    return f"{url}?{urlencode(query)}" if query else url


def public_urls() -> Sequence[str]:
    link = create_link("demo")
    return [link.frame, link.fragment]


def pattern_names() -> set[str]:
    """Return the names of all URL patterns of the admin pages of both apps."""
    registered = [one for model, one in admin.site._registry.items() if model._meta.app_label in _APPS]
    return {pattern.name for one in registered for pattern in one.get_urls() if pattern.name}
