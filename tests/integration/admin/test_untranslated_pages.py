"""Words of the pages of views, checks and manifests that are in no catalog. Each message is marked."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings

from seeder.domain.refresh_requests import AllReports
from seeder.models import (
    CannedReport,
    CannedReportManifest,
    ChangeSample,
    CustomReportManifest,
    Freshness,
    ReleaseSnapshot,
    RunHistory,
)
from seeder.services.run import orchestrator
from tests.conftest import create_custom_manifest
from tests.integration.admin.admin_clients import READER_PERMISSIONS, client_with, get_page
from tests.integration.data_checks.checked_view import add_check
from tests.pseudo_locale import mark_messages, page_text, words_outside

# What stays English, as regular expressions: names, stored texts, SQL, and what PostgreSQL says.
ALLOWED = (
    r"invalid input syntax .*|column .missing. .*|Result  \(cost.*|LINE \d+.*",
    r"seeder\.view_\w+|Not published, because .*\nReaders keep .*",
    r"reporting\.\w+: \w+",  # a status in a page of Django
    r"(Report |Canned )?reporting(\.\w+( at 2026\S+)?)?|\b(good|bad|shared|sums|demo|metro|postgres)\b",
    r"SELECT[^⟦\n]*|\bAS [nm]\b|\bm?issing\b|\b(bigint|integer|kB|UTC|custom|canned|error|warn)\b|manage\.py doctor",
    r"\b(accepted_values|condition|drift|freshness|not_null|query|range|row_count|unique)\b",  # kinds of checks
    r"\b\d{8}-\d{6}-[0-9a-f]{8}\b|\b(every report|a test)\b|\b[a-z]+(_[a-z]+)+\b",
    r"https?://\S+|<img[^>]*>|\b[0-9a-f]{12}\b",
    r"\b(rows|definition|top_values)( rising| falling)?\b",  # of DRIFT_RULES
    r"(?m)^(Search|True|False)$",  # by Django
)


@pytest.fixture
def marked_messages(tmp_path: Path, settings: Settings) -> None:
    mark_messages(settings, tmp_path)


@pytest.fixture
def operator() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("operator"))
    return client


@pytest.mark.slow
def test_pages_have_only_translated_words(marked_messages: None, operator: Client, settings: Settings) -> None:
    settings.SEEDER = {"ALLOW_MANIFEST_EDITING": True}
    paths = _paths()
    left = {}
    for path in paths:
        page = operator.get(f"/admin/seeder/{path}").content.decode()
        assert "⟦" in page, path
        left[path] = words_outside(page_text(page), ALLOWED)
    reader = client_with(*READER_PERMISSIONS, name="reader")
    failed = RunHistory.objects.filter(table_name="reporting.bad").latest("pk")
    for path in ("monitoring/view/?table=reporting.bad", f"runhistory/{failed.pk}/change/"):
        left[f"{path} of a reader"] = words_outside(page_text(get_page(reader, path)), ALLOWED)
    assert {path: words for path, words in left.items() if words} == {}


def _paths() -> list[str]:
    """Create rows of each kind, and return the pages of all."""
    create_custom_manifest("reporting.sums", "SELECT n FROM reporting.good")
    add_check("not_null", view="reporting.good", arguments={"column": "n"})
    held = add_check("row_count", view="reporting.sums", arguments={"min": 100})
    Freshness.objects.create(table_name="reporting.good", target_lag=timedelta(hours=3))
    orchestrator.execute_run(AllReports())
    CustomReportManifest.objects.filter(table_name="reporting.good").update(query="SELECT 1::bigint AS n, 2 AS m")
    snapshot = ReleaseSnapshot.objects.get()
    base, snapshot.pk, snapshot.release_tag = snapshot.pk, None, "2026.12"
    snapshot.row_count, snapshot.exact, snapshot.definition_hash = 5000, False, "0" * 64
    snapshot.save()
    ChangeSample.objects.create(database_alias="default", table_name="reporting.good", max_rows=5, requested_by="demo")
    view_pages = [
        f"monitoring/view/{page}?table=reporting.{name}"
        for page in ("", "explanation/", "checks/", "mute/")
        for name in ("good", "bad", "shared", "sums")
    ]
    lists = ("jobstatus", "runhistory", "run", "releasesnapshot", "datacheck", "notification")
    manifests = (CustomReportManifest, CannedReport, CannedReportManifest)
    names: list[tuple[str, Any]] = [(model._meta.model_name or "", model.objects.first()) for model in manifests]
    return [
        *view_pages,
        "monitoring/view/checks/decide/?decision=publish_once&table=reporting.sums",
        f"monitoring/drift/?base={base}&compare={snapshot.pk}",
        "monitoring/freshness/",
        "monitoring/freshness/link/?agency=demo",
        *(f"{name}/" for name in (*lists, *(name for name, _ in names))),
        *(f"{name}/{row.pk}/change/" for name, row in names),
        *(f"{name}/add/" for name in ("customreportmanifest", "cannedreport", "cannedreportmanifest", "datacheck")),
        f"datacheck/{held.pk}/change/",
        "datacheck/add/?view=good&kind=range",
        "datacheck/add/?view=good&kind=unique",
        "datacheck/add/?view=good&kind=drift",
    ]


@pytest.mark.slow
def test_answers_have_only_translated_words(marked_messages: None, operator: Client, settings: Settings) -> None:
    settings.SEEDER = {"ALLOW_MANIFEST_EDITING": True}
    new = {"report_name": "good", "table_name": "reporting.new", "database_id": "1", "agency_slug": "demo"}
    posts: list[tuple[str, dict[str, Any]]] = [
        ("customreportmanifest/add/", {**new, "query": "SELECT 1 AS n", "_check": "1"}),
        ("customreportmanifest/add/", {**new, "query": "SELECT 1 AS n,\n missing", "_check": "1"}),
        ("customreportmanifest/add/", {**new, "query": "SELECT 1 AS n", "table_name": "a.b.c", "_save": "1"}),
        ("customreportmanifest/add/", {**new, "query": "SELECT 1 AS n", "_save": "1"}),
        ("customreportmanifest/", {"action": "enable", "_selected_action": "1"}),
        ("customreportmanifest/", {"action": "enable", "_selected_action": "1", "confirmed": "1"}),
        ("monitoring/view/mute/?table=reporting.good", {"reason": "good", "hours": "0", "mute": "1"}),
        ("monitoring/view/mute/?table=reporting.good", {"reason": "good", "hours": "1", "mute": "1"}),
        ("monitoring/view/?table=reporting.good", {"plan": "reporting.good"}),
        ("jobstatus/", {"action": "capture", "_selected_action": "reporting.good"}),
    ]
    for path, values in posts:
        answer = operator.post(f"/admin/seeder/{path}", values, follow=True)
        texts = [page_text(answer.content.decode()), *map(str, answer.context["messages"])]
        assert "⟦" in texts[-1]
        assert words_outside("\n".join(texts), ALLOWED) == [], path
