"""The explanation of a view in the API: its fields, and what is hidden from a user."""

import json
from datetime import timedelta
from typing import Any

import pytest
from rest_framework.test import APIClient

from seeder.api.explanation_serializers import ExplanationSerializer
from seeder.domain.refresh_requests import AllReports
from seeder.models import CircuitBreaker, Freshness, RunMetrics
from seeder.services.data_checks.waivers import HeldChecks, waive_checks
from seeder.services.run import orchestrator
from tests.acceptance import api_clients
from tests.acceptance.api_clients import ROOT, get
from tests.acceptance.test_api_answers import document_fields, field_names
from tests.conftest import another_session, create_custom_manifest, sql
from tests.integration.data_checks.checked_view import add_check, create_view, refresh


def explain(caller: APIClient, view: str = "reporting.a") -> Any:
    return get(caller, f"views/{view}/explanation/")


def sentences(document: Any) -> list[str]:
    return [one["text"] for one in (*document["decisions"], *document["now"]["decisions"])]


@pytest.fixture
def chain(reader: APIClient) -> None:
    """A held view `b` of demo between `a` of metro and `c` of demo."""
    create_view()
    sql("UPDATE reporting.seeder_custom_report_manifest SET agency_slug = 'metro', agency_id = 2")
    create_view("b", "SELECT id, status FROM reporting.a")
    create_view("c", "SELECT id FROM reporting.b")
    add_check("not_null", view="reporting.b", arguments={"column": "status"})
    refresh()
    sql("UPDATE reporting.source SET status = NULL WHERE id < 4")
    refresh()


@pytest.mark.usefixtures("chain")
def test_explanation_has_exactly_the_described_fields(reader: APIClient) -> None:
    Freshness.objects.create(table_name="reporting.b", target_lag=timedelta(hours=1))
    waive_checks(HeldChecks(table_name="reporting.b"), reason="month end", granted_by="anna")
    RunMetrics.objects.update(consistent_group="month")
    expected = field_names(ExplanationSerializer())
    document = explain(reader, "Reporting.B")
    assert document["tables"] == []
    assert document_fields(document, expected) == expected
    assert document["checks"][0]["figures"] == {"rows": 1000, "badRows": 3, "tolerated": 0}


@pytest.mark.usefixtures("chain")
def test_views_of_hidden_agencies_are_only_counted() -> None:
    caller = api_clients.api_client(
        api_clients.create_user("demo", *api_clients.READER_PERMISSIONS, "view_errors", agencies="demo")
    )
    CircuitBreaker.objects.create(
        database_alias="default", failures=5, opened_at="2026-01-01T00:00Z", causes={"reporting.a": "disk_full"}
    )
    document = explain(caller, "reporting.b")
    assert (document["dependsOn"], document["hiddenViews"], document["now"]["hiddenSteps"]) == ([], 1, 1)
    assert [one["view"] for one in document["dependents"]] == ["reporting.c"]
    assert [(one["view"], one["after"]) for one in document["now"]["plan"]] == [("reporting.b", [])]
    assert any("circuit breaker of default is open" in text for text in sentences(document))
    assert "reporting.a" not in json.dumps({**document, "lastRefresh": None, "lastEnded": None})
    missing, hidden = (caller.get(f"{ROOT}views/{name}/explanation/") for name in ("reporting.none", "reporting.a"))
    assert (missing.status_code, hidden.status_code) == (404, 404)
    assert missing.json()["detail"] == hidden.json()["detail"]


def test_messages_sessions_and_requests_need_their_permissions(reader: APIClient) -> None:
    create_custom_manifest("reporting.bad", "SELECT 'secret-123'::integer AS n")
    create_view()
    orchestrator.execute_run(AllReports(), requested_by="the night")
    orchestrator.execute_run(AllReports(), requested_by="the night")
    limited = api_clients.api_client(api_clients.create_user("limited", "view_jobstatus"))
    trusted = api_clients.api_client(api_clients.create_user("trusted", "view_jobstatus", "view_run", "view_errors"))
    document = explain(limited, "reporting.bad")
    assert "secret-123" not in json.dumps(document)
    assert "the night" not in json.dumps(document)
    assert document["lastRefresh"]["reason"] == "invalid_text_representation"
    assert "secret-123" in " ".join(sentences(explain(trusted, "reporting.bad")))
    assert explain(trusted, "reporting.bad")["lastRefresh"]["requestedBy"] == "the night"
    with another_session(application_name="nightly loader") as loader:
        loader.execute("BEGIN; LOCK TABLE reporting.source IN ACCESS EXCLUSIVE MODE")
        assert explain(limited)["now"]["blockingSessions"] == 1
        assert "nightly loader" not in json.dumps(explain(limited))
        assert "nightly loader" in json.dumps(explain(trusted))


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("views/a.b.c/explanation/", 400),
        ("views/reporting.none/explanation/", 404),
        ("views/reporting.good/explanation/?database=other", 404),
        ("views/reporting.good/explanation/?database=default", 200),
        ("views/reporting.good/explanation/?datbase=default", 400),
    ],
)
def test_invalid_requests_are_refused(reader: APIClient, path: str, status: int) -> None:
    create_custom_manifest("reporting.good", "SELECT 1 AS n")
    assert reader.get(ROOT + path).status_code == status
