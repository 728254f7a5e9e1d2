"""What a refresh of a view would do now: its plan, what would hold it, and which contracts it would meet."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from pytest_django import Settings

from seeder.models import CircuitBreaker, CustomReportManifest, Freshness, RunHistory
from tests.conftest import CompletedCommand, another_session, sql
from tests.integration.data_checks.checked_view import add_check, create_view, refresh

pytestmark = pytest.mark.usefixtures("contract_tables")

HOUR = timedelta(hours=1)
Manage = Callable[..., CompletedCommand]


@pytest.fixture
def pair(contract_tables: None) -> None:
    """A view `b` that reads `a`."""
    create_view()
    create_view("b", "SELECT id FROM reporting.a")
    refresh()


def outlook(manage: Manage, name: str = "reporting.b") -> Any:
    return manage("explain_view", name, "--json").document["now"]


def sentences(manage: Manage, topic: str, name: str = "reporting.b") -> list[str]:
    return [one["text"] for one in outlook(manage, name)["decisions"] if one["topic"] == topic]


@pytest.mark.usefixtures("pair")
def test_plan_has_the_view_after_those_that_it_reads(manage: Manage) -> None:
    plan = outlook(manage)
    assert [(one["view"], one["action"], one["after"]) for one in plan["plan"]] == [
        ("reporting.a", "refresh", []),
        ("reporting.b", "refresh", ["reporting.a"]),
    ]
    assert plan["mode"] == {"mode": "plain", "reason": None}
    alone, together = sentences(manage, "plan")
    assert alone.startswith("A refresh now would run plainly, which blocks readers, for about 0.")
    assert "A run of it and of the 1 view that it needs takes about 0." in together


@pytest.mark.usefixtures("pair")
def test_explanation_changes_nothing(manage: Manage) -> None:
    def state() -> object:
        return sql("SELECT oid, xmin::text, relname::text FROM pg_class WHERE relnamespace = 'reporting'::regnamespace")

    before, rows = state(), RunHistory.objects.count()
    assert manage("explain_view", "reporting.b").exit_code == 0
    assert (state(), RunHistory.objects.count()) == (before, rows)


def test_missing_view_has_its_dependencies(manage: Manage) -> None:
    create_view()
    refresh()
    create_view("b", "SELECT a.id FROM reporting.a JOIN reporting.source USING (id)")
    document = manage("explain_view", "reporting.b", "--json").document
    assert [one["view"] for one in document["dependsOn"]] == ["reporting.a"]
    assert document["tables"] == ["reporting.source"]
    assert [(one["view"], one["action"]) for one in document["now"]["plan"]] == [
        ("reporting.a", "refresh"),
        ("reporting.b", "create"),
    ]
    assert sql("SELECT to_regclass('reporting.b')") == [(None,)]
    CustomReportManifest.objects.filter(table_name="reporting.b").update(query="SELEKT 1")
    assert manage("explain_view", "reporting.b").exit_code == 0


def test_missing_view_would_be_created(manage: Manage) -> None:
    create_view()
    assert outlook(manage, "reporting.a")["action"] == "create"
    assert sentences(manage, "plan", "reporting.a") == ["A refresh now would create it, for an unknown time."]


@pytest.mark.usefixtures("pair")
def test_view_that_cannot_be_concurrent_says_so(manage: Manage, settings: Settings) -> None:
    settings.SEEDER = {"REFRESH_CONCURRENTLY": True}
    assert "because PostgreSQL would refuse a concurrent one" in sentences(manage, "plan")[0]
    sql("CREATE UNIQUE INDEX ON reporting.b (id)")
    assert sentences(manage, "plan")[0].startswith("A refresh now would run concurrently, for about ")
    settings.SEEDER = {"REFRESH_CONCURRENTLY": "auto", "READER_WAIT_BUDGET_MS": 60_000}
    assert ". Plain, because it takes about " in sentences(manage, "plan")[0]


@pytest.mark.usefixtures("pair")
def test_locks_of_other_sessions_are_named(manage: Manage) -> None:
    assert sentences(manage, "lock", "reporting.a") == []
    with another_session(application_name="nightly loader") as loader:
        loader.execute("BEGIN; LOCK TABLE reporting.source IN ACCESS EXCLUSIVE MODE")
        [text] = sentences(manage, "lock", "reporting.a")
        pid = loader.info.backend_pid
    assert text.startswith(f"It would wait for locks of 1 other session: pid {pid}, nightly loader, ")


@pytest.mark.usefixtures("pair")
def test_open_breaker_is_explained_with_its_trial(manage: Manage) -> None:
    assert sentences(manage, "breaker") == []
    causes = {"reporting.z": "disk_full"}
    CircuitBreaker.objects.create(database_alias="default", failures=5, opened_at="2026-01-01T00:00Z", causes=causes)
    [text] = sentences(manage, "breaker")
    assert "after 5 failures in a row: reporting.z (disk_full). One view is tried now." in text
    assert text.endswith("manage.py reset_breaker")


@pytest.mark.usefixtures("pair")
def test_contract_is_met_only_after_the_views_that_it_reads(manage: Manage) -> None:
    Freshness.objects.create(table_name="reporting.b", target_lag=HOUR)
    assert sentences(manage, "contract") == ["The contract (at most 1 h 00 min old) would be met by a refresh now."]
    sql("UPDATE reporting.seeder_view_state SET data_as_of = data_as_of - interval '3 hours'")
    assert sentences(manage, "contract") == [
        "The contract (at most 1 h 00 min old) would be met only after the views that it reads."
    ]
    [text] = sentences(manage, "data")
    assert ", because reporting.a is. After the views that it reads, they would be as of its start." in text
    CustomReportManifest.objects.filter(table_name="reporting.a").update(enabled=False)
    assert sentences(manage, "contract") == [
        "The contract (at most 1 h 00 min old) would be late even after a refresh now."
    ]


@pytest.mark.usefixtures("pair")
def test_drift_and_data_checks_are_foreseen(manage: Manage) -> None:
    add_check("not_null", arguments={"column": "id"}, view="reporting.b")
    CustomReportManifest.objects.filter(table_name="reporting.b").update(query="SELECT id + 1 AS id FROM reporting.a")
    [text] = sentences(manage, "data_check")
    assert text.startswith("1 data check decides if its new rows are published. Its readers wait until its data checks")
    assert text.endswith(", because the refresh takes at most 0.20 s.")
    [text] = sentences(manage, "drift")
    assert text.startswith("Definition drift: the query of custom manifest ")


@pytest.mark.usefixtures("pair")
def test_throttle_is_foreseen(manage: Manage, settings: Settings) -> None:
    settings.SEEDER = {"MAX_DB_ACTIVE_QUERIES": 1}
    assert sentences(manage, "wait") == []
    with another_session() as busy:
        busy.execute("BEGIN")
        [text] = sentences(manage, "wait")
    assert text.startswith("The throttle would hold it: SEEDER_MAX_DB_ACTIVE_QUERIES is 1, and the server has ")


@pytest.mark.usefixtures("pair")
def test_text_of_the_outlook_has_the_plan(manage: Manage) -> None:
    lines = manage("explain_view", "reporting.b").out.splitlines()
    assert "If it were refreshed now" in lines
    assert any(line.startswith("plan: refresh reporting.b; after reporting.a; expected ") for line in lines)
