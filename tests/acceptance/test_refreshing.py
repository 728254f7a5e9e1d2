"""Refresh everything, an agency or a view; show a plan; read the output in a script."""

from collections.abc import Callable

import pytest
from django.core.management import CommandError, call_command

from seeder.models import JobStatus, RunHistory
from tests.conftest import CompletedCommand, create_canned_report, create_custom_manifest, sql

Manage = Callable[..., CompletedCommand]
pytestmark = pytest.mark.usefixtures("contract_tables")


def test_refresh_agency_refreshes_only_its_reports(manage: Manage) -> None:
    create_custom_manifest("reporting.ours", "SELECT 1 AS n")
    create_custom_manifest("reporting.theirs", "SELECT 1 AS n", agency="metro")
    create_canned_report("reporting.shared", "SELECT 1 AS n", agencies=("demo", "metro"))
    ended = manage("refresh_agency", "demo", "--json")
    assert ended.exit_code == 0
    assert sorted(view["view"] for view in ended.document["views"]) == ["reporting.ours", "reporting.shared"]
    assert set(RunHistory.objects.values_list("agency_slug", flat=True)) == {"demo"}


def test_refresh_table_refreshes_all_manifests_of_the_view(manage: Manage) -> None:
    create_custom_manifest('"Reporting"."My View"', "SELECT 1 AS n")
    create_custom_manifest("reporting.other", "SELECT 1 AS n")
    create_canned_report("Reporting.Shared", "SELECT 1 AS n", agencies=("demo", "metro"))
    sql('CREATE SCHEMA "Reporting"')
    assert manage("refresh_table", "SHARED").exit_code == 0
    assert RunHistory.objects.count() == 2
    assert manage("refresh_table", '"Reporting"."My View"').exit_code == 0
    assert sql('SELECT n FROM "Reporting"."My View"') == [(1,)]
    assert sql("SELECT to_regclass('reporting.other')") == [(None,)]


@pytest.mark.parametrize(("option", "kinds"), [("custom", {"custom"}), ("canned", {"canned"})])
def test_refresh_all_can_be_limited_to_one_report_type(manage: Manage, option: str, kinds: set[str]) -> None:
    create_custom_manifest("reporting.ours", "SELECT 1 AS n")
    create_canned_report("reporting.shared", "SELECT 1 AS n", agencies=("demo", "metro"))
    assert manage("refresh_all", "--report-type", option).exit_code == 0
    assert set(RunHistory.objects.values_list("report_type", flat=True)) == kinds
    assert manage("refresh_all").exit_code == 0
    assert RunHistory.objects.filter(status="success").count() == {"custom": 1, "canned": 2}[option] + 3


def test_disabled_report_is_not_refreshed(manage: Manage) -> None:
    create_custom_manifest("reporting.off", "SELECT 1 AS n", enabled=False)
    create_custom_manifest("reporting.on", "SELECT 1 AS n")
    assert manage("refresh_all").exit_code == 0
    assert list(RunHistory.objects.values_list("table_name", flat=True)) == ["reporting.on"]


@pytest.mark.parametrize("arguments", [["refresh_agency", "demo"], ["refresh_table", "off"], ["refresh_all"]])
def test_refresh_without_enabled_manifests_prints_one_line(manage: Manage, arguments: list[str]) -> None:
    create_custom_manifest("reporting.off", "SELECT 1 AS n", enabled=False)
    for options in ([], ["--dry-run"], ["--table"]):
        ended = manage(*arguments, *options)
        assert ended.exit_code == 0
        assert "Nothing to refresh: no manifest is enabled for" in ended.out


def test_dry_run_shows_the_plan_and_changes_nothing(manage: Manage) -> None:
    create_custom_manifest("reporting.b", "SELECT n FROM reporting.a")
    create_custom_manifest("reporting.a", "SELECT 1 AS n")
    ended = manage("refresh_agency", "demo", "--dry-run")
    assert ended.exit_code == 0
    assert ended.lines == [
        "create reporting.a; for 1 manifest",
        "create reporting.b; after reporting.a; for 1 manifest",
    ]
    assert sql("SELECT to_regclass('reporting.a')") == [(None,)]
    assert (RunHistory.objects.count(), JobStatus.objects.count()) == (0, 0)
    planned = manage("refresh_agency", "demo", "--dry-run", "--json").document
    assert planned["dryRun"] is True
    assert [(view["view"], view["action"], view["dependsOn"]) for view in planned["views"]] == [
        ("reporting.a", "create", []),
        ("reporting.b", "create", ["reporting.a"]),
    ]


def test_output_without_terminal_has_one_line_per_view(manage: Manage) -> None:
    create_custom_manifest("reporting.a", "SELECT generate_series(1, 1204) AS n")
    ended = manage("refresh_agency", "demo")
    assert ended.exit_code == 0
    first, created, last = ended.lines
    assert first.endswith(": 1 view, 8 workers")
    assert created.startswith("[1/1] reporting.a: created, 1,204 rows, ")
    assert ": 1 succeeded, 0 failed in " in last
    assert "\x1b" not in ended.out


def test_json_agrees_with_the_history_rows(manage: Manage) -> None:
    create_custom_manifest("reporting.good", "SELECT 1 AS n")
    create_custom_manifest("reporting.bad", "SELECT 1 / 0 AS n")
    ended = manage("refresh_agency", "demo", "--json")
    assert ended.exit_code == 1
    assert (ended.document["succeeded"], ended.document["failed"]) == (1, 1)
    for view in ended.document["views"]:
        row = RunHistory.objects.get(run_id=ended.document["runId"], table_name=view["view"])
        assert row.status == {"created": "success", "failed": "error"}[view["outcome"]]
        assert (row.records_processed, row.bytes_processed) == (view["recordsProcessed"], view["bytesProcessed"])
        assert (row.errors, row.start_time.isoformat()) == (view["errors"], view["startTime"])


def test_table_option_prints_the_final_table_without_terminal(manage: Manage) -> None:
    create_custom_manifest("reporting.a", "SELECT 1 AS n")
    ended = manage("refresh_agency", "demo", "--table")
    assert ended.exit_code == 0
    assert "reporting.a" in ended.out
    assert "1 succeeded, 0 failed in" in ended.out
    assert "started" not in ended.out


def test_name_outside_the_output_encoding_is_escaped(manage: Manage) -> None:
    create_custom_manifest('"Kriminalität"', "SELECT 1 AS n")
    ended = manage("refresh_agency", "demo", PYTHONIOENCODING="ascii")
    assert ended.exit_code == 0
    assert r'reporting."Kriminalit\xe4t": created, 1 row' in ended.out


def test_subscribed_agency_and_report_without_one_are_known(manage: Manage) -> None:
    create_canned_report("reporting.shared", "SELECT 1 AS n", agencies=("metro",))
    create_canned_report("reporting.unread", "SELECT 1 AS n", agencies=())
    assert manage("refresh_agency", "metro").exit_code == 0
    ended = manage("refresh_table", "unread")
    assert ended.exit_code == 0
    assert "Nothing to refresh: no manifest is enabled for the view reporting.unread." in ended.out


def test_call_command_with_invalid_argument_raises_an_exception() -> None:
    with pytest.raises(CommandError, match="No manifest names the agency 'unknown'"):
        call_command("refresh_agency", "unknown")
    with pytest.raises(CommandError, match="SLUG"):
        call_command("refresh_agency")
