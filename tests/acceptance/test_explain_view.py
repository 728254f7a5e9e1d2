"""The explanation of a view: one sentence for each decision, from stored facts."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db.models.functions import Now
from pytest_django import Settings

from seeder.domain.refresh_requests import AllReports, SingleView
from seeder.domain.view_names import ViewName
from seeder.models import CustomReportManifest, Freshness, Run, RunHistory, RunMetrics
from seeder.services.data_checks.waivers import HeldChecks, waive_checks
from seeder.services.run import orchestrator
from seeder.services.run.run_liveness_lock import RunLock
from tests.acceptance.api_clients import count_statements
from tests.conftest import CompletedCommand, create_custom_manifest, sql
from tests.integration.data_checks.checked_view import add_check, create_view, refresh

pytestmark = pytest.mark.usefixtures("contract_tables")

HOUR = timedelta(hours=1)
Manage = Callable[..., CompletedCommand]


def sentences(manage: Manage, name: str = "reporting.a") -> dict[str, list[str]]:
    """Return the sentences of an explanation by topic."""
    found: dict[str, list[str]] = {}
    for one in manage("explain_view", name, "--json").document["decisions"]:
        found.setdefault(one["topic"], []).append(one["text"])
    return found


def test_refreshed_view_is_explained_with_its_figures_and_mode(manage: Manage, settings: Settings) -> None:
    create_custom_manifest("reporting.a", "SELECT generate_series(1, 1200) AS n")
    orchestrator.execute_run(AllReports(), requested_by="the night")
    [text] = sentences(manage)["refresh"]
    assert text.startswith("Created at ")
    assert "(every report, requested by the night): 1,200 rows, " in text
    sql("CREATE UNIQUE INDEX ON reporting.a (n)")
    settings.SEEDER = {"REFRESH_CONCURRENTLY": True}
    orchestrator.execute_run(AllReports())
    found = sentences(manage, "Reporting.A")
    assert found["refresh"][0].startswith("Refreshed at ")
    assert found["mode"][0].endswith("=true says. It inserted 0 rows and deleted 0.")
    assert found["data"][0].startswith("Its data are as of ")


def test_chosen_mode_is_explained_as_recorded(manage: Manage, settings: Settings) -> None:
    create_custom_manifest("reporting.a", "SELECT 1 AS n")
    orchestrator.execute_run(AllReports())
    settings.SEEDER = {"REFRESH_CONCURRENTLY": "auto"}
    orchestrator.execute_run(AllReports())
    reason = RunMetrics.objects.latest("history_id").mode_reason
    assert reason is not None
    assert sentences(manage)["mode"][0].startswith(reason)


def test_waits_of_a_refresh_are_explained(manage: Manage) -> None:
    create_custom_manifest("reporting.a", "SELECT 1 AS n")
    orchestrator.execute_run(AllReports())
    RunMetrics.objects.update(worker_wait_seconds=3.2, throttle_wait_seconds=0.01, lock_wait_seconds=75)
    assert sentences(manage)["wait"] == ["It waited 3.20 s for a free worker, 1 min 15 s for locks."]


def test_held_view_names_check_figures_and_waiver(manage: Manage) -> None:
    create_view()
    add_check("not_null", arguments={"column": "status"})
    add_check("unique", arguments={"columns": ["id"]})
    refresh()
    sql("UPDATE reporting.source SET status = NULL WHERE id < 4")
    refresh()
    found = sentences(manage)
    assert "because its new rows failed a data check" in found["refresh"][0]
    assert found["refresh"][1].startswith("Readers see the rows of the last success, ")
    held, advice, passed = found["data_check"]
    assert held == 'Held by data check not_null: 3 of 1,000 rows with a null in column "status".'
    assert advice.endswith("manage.py waive_check reporting.a --reason REASON")
    assert passed == "1 data check passed."
    assert "waiver" not in found
    waive_checks(HeldChecks(table_name="reporting.a"), reason="month end", granted_by="anna")
    [text] = sentences(manage)["waiver"]
    assert text.startswith("A waiver of anna (month end) lets the next refresh pass data check not_null, until ")
    assert text.endswith(", unless it is worse than: rows 1000, bad_rows 3, tolerated 0.")
    add_check("condition", arguments={"expression": "nope"})
    assert "Correct the data and refresh again." in str(refresh()["a"].failure)
    sql("UPDATE reporting.source SET status = 'open'")
    assert "Correct the check and refresh again." in str(refresh()["a"].failure)
    advice = sentences(manage)["data_check"][1]
    assert advice.startswith("Correct the check and refresh again. To publish"), "no waiver covers the condition"


def test_used_waiver_is_said_once_and_removed_check_has_none(manage: Manage) -> None:
    create_view()
    check = add_check("not_null", arguments={"column": "status"})
    sql("UPDATE reporting.source SET status = NULL WHERE id < 4")
    refresh()
    waive_checks(HeldChecks(table_name="reporting.a"), reason="month end", granted_by="anna")
    check.delete()
    assert "waiver" not in sentences(manage)
    check.save()
    refresh()
    found = sentences(manage)
    [text] = [text for texts in found.values() for text in texts if "waiver" in text]
    assert text.startswith("Published although not_null failed, by a waiver of anna (month end): 3 of 1,000 rows")
    assert found["data_check"] == [text]


def test_warning_of_a_data_check_is_said_once(manage: Manage) -> None:
    create_view()
    add_check("not_null", arguments={"column": "missing"}, severity="warn")
    refresh()
    found = sentences(manage)
    [warning] = [text for texts in found.values() for text in texts if "missing" in text]
    assert found["data_check"] == [warning]


def test_failed_view_has_reason_message_and_last_success(manage: Manage) -> None:
    create_view()
    refresh()
    sql("ALTER TABLE reporting.source RENAME TO gone")
    sql("ALTER MATERIALIZED VIEW reporting.a RENAME TO gone_view")
    for _ in range(2):
        refresh()
    found = sentences(manage)
    assert " with undefined_table: " in found["refresh"][0]
    assert 'relation "reporting.source" does not exist' in found["refresh"][0]
    assert found["manifest"] == [
        "The view does not exist. The next refresh creates it from the query of its first manifest."
    ]


def test_open_interrupted_and_given_up_refreshes_are_explained(manage: Manage) -> None:
    create_view()
    refresh()
    columns = "manifest_id, table_name, report_name, agency_id, agency_slug, report_type"
    sql(
        f"INSERT INTO reporting.seeder_run_history (run_id, {columns}, status)"
        f" SELECT 'late', {columns}, 'pending' FROM reporting.seeder_run_history"
    )
    hold = {"database": "default", "reason": "server_busy", "from": "2026-01-01T02:00:00+00:00", "until": None}
    Run.objects.update(run_id="late", holds=[hold])
    late = RunHistory.objects.filter(run_id="late")
    with RunLock("late"):
        [text] = sentences(manage)["wait"]
        assert text.endswith(", because its database is on hold since 2026-01-01 02:00:00 UTC (server_busy).")
        assert sentences(manage)["refresh"][0].startswith("Before that: Created at ")
        late.update(status="running")
        assert sentences(manage)["refresh"][0].startswith("A refresh is running in run late (every report) for ")
    killed = sentences(manage)["refresh"][0]
    assert killed.endswith(
        "in run late (every report), whose process was killed. What it left: manage.py retry_run late"
    )
    late.update(status="error", finish_time=Now(), errors="interrupted: SIGTERM")
    assert sentences(manage)["refresh"][0].endswith("in run late (every report): SIGTERM")
    RunMetrics.objects.create(history_id=late.get().pk, reason="server_busy", throttle_wait_seconds=900)
    late.update(errors="Not started, because 9 queries are active.")
    found = sentences(manage)
    assert "because the server was busy for too long: Not started, because 9 queries are active." in found["refresh"][0]
    assert found["wait"] == ["It waited 15 min 00 s on hold. From 02:00:00, the server was busy."]
    sql("REFRESH MATERIALIZED VIEW reporting.a WITH NO DATA")
    assert sentences(manage)["manifest"][0].startswith("The view was never filled, or emptied WITH NO DATA.")


def test_late_contract_has_its_cause(manage: Manage) -> None:
    create_view()
    refresh()
    Freshness.objects.create(table_name="reporting.a", target_lag=HOUR)
    sql("UPDATE reporting.seeder_view_state SET data_as_of = data_as_of - interval '3 hours'")
    sql("UPDATE reporting.seeder_run_history SET start_time = start_time - interval '3 hours'")
    sql("UPDATE reporting.seeder_job_status SET start_time = start_time - interval '3 hours'")
    [text] = sentences(manage)["contract"]
    assert text.startswith("Its contract (at most 1 h 00 min old) is late since ")
    assert text.endswith("(2 h 00 min): no refresh started.")


@pytest.fixture
def chain(contract_tables: None) -> None:
    """Three views that read each other, `a` the first, and the table behind `a`."""
    create_view()
    create_view("b", "SELECT id FROM reporting.a")
    create_view("c", "SELECT id FROM reporting.b")
    refresh()


@pytest.mark.usefixtures("chain")
def test_dependencies_and_dependents_have_their_states(manage: Manage) -> None:
    sql("UPDATE reporting.seeder_job_status SET consecutive_failures = 2 WHERE table_name = 'reporting.a'")
    answer = manage("explain_view", "reporting.b", "--json")
    [read], [reader] = answer.document["dependsOn"], answer.document["dependents"]
    assert (read["view"], read["failing"], reader["view"], reader["failing"]) == (
        *("reporting.a", True),
        *("reporting.c", False),
    )
    assert sentences(manage, "reporting.b")["dependency"] == [
        "It reads reporting.a, which failed in its last refresh, so its data are not new."
    ]
    first = manage("explain_view", "reporting.a", "--json").document
    assert (first["tables"], first["furtherDependents"]) == (["reporting.source"], 1)


@pytest.mark.usefixtures("chain")
def test_view_refreshed_before_its_dependency_says_so(manage: Manage) -> None:
    orchestrator.execute_run(SingleView(name=ViewName.parse("reporting.a")))
    [text] = sentences(manage, "reporting.b")["dependency"]
    assert text.startswith("It reads reporting.a, which was refreshed later, ")


@pytest.mark.usefixtures("chain")
def test_text_has_every_sentence_and_relation(manage: Manage) -> None:
    lines = manage("explain_view", "reporting.b").out.splitlines()
    assert lines[0] == "reporting.b in default: 1 report of demo"
    assert any(line.startswith("- Created at ") for line in lines)
    assert any(line.startswith("reads reporting.a: success; last success ") for line in lines)
    assert any(line.startswith("read by reporting.c: success; ") for line in lines)


def test_disabled_and_new_views_are_explained(manage: Manage) -> None:
    create_custom_manifest("reporting.a", "SELECT 1 AS n", enabled=False)
    assert sentences(manage)["manifest"][0] == "No run refreshes it, because none of its manifests is enabled."
    CustomReportManifest.objects.update(enabled=True)
    assert sentences(manage)["refresh"] == ["No run has recorded a refresh of it."]


def test_unknown_view_is_refused_with_the_nearest_name(manage: Manage) -> None:
    create_custom_manifest("reporting.incidents", "SELECT 1 AS n")
    answer = manage("explain_view", "reporting.incidenst")
    assert answer.exit_code == 2
    assert "The nearest one is 'reporting.incidents'." in answer.err
    assert manage("explain_view", "no such name").exit_code == 2


def test_explanation_works_without_optional_tables(manage: Manage) -> None:
    create_view()
    refresh()
    for table in ("run_metrics", "run", "check_result", "check_waiver", "check", "freshness", "view_state"):
        sql(f"DROP TABLE reporting.seeder_{table}")
    assert sentences(manage)["refresh"][0].startswith("Refreshed at ")


@pytest.mark.slow
def test_number_of_statements_does_not_grow_with_views(manage: Manage) -> None:
    create_view()
    create_view("b", "SELECT id FROM reporting.a")
    refresh()
    before = count_statements(lambda: manage("explain_view", "reporting.a"))
    for number in range(20):
        create_view(f"more_{number}", "SELECT id FROM reporting.a")
    refresh()
    assert count_statements(lambda: manage("explain_view", "reporting.a")) <= before
