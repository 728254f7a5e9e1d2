"""Options that select some of the requested views, and how the run refreshes them."""

from collections.abc import Callable

import pytest

from seeder.models import QueuedRefresh, Run
from tests.conftest import CompletedCommand, create_custom_manifest, sql

Manage = Callable[..., CompletedCommand]
pytestmark = pytest.mark.usefixtures("contract_tables")


def planned(manage: Manage, *arguments: str) -> list[str]:
    """Return the names of the views that a command would refresh."""
    ended = manage(*arguments, "--dry-run", "--json")
    assert ended.exit_code == 0
    return sorted(view["view"].removeprefix("reporting.") for view in ended.document["views"])


def test_operands_and_patterns_select_views(manage: Manage) -> None:
    for name, agency in (("a1", "demo"), ("a2", "demo"), ("b1", "metro"), ("c1", "harbor")):
        create_custom_manifest(f"reporting.{name}", "SELECT 1 AS n", agency=agency)
    assert planned(manage, "refresh_agency", "demo", "metro") == ["a1", "a2", "b1"]
    assert planned(manage, "refresh_table", "c1", "reporting.a2") == ["a2", "c1"]
    assert planned(manage, "refresh_all", "--select", "*1", "--exclude", "c*") == ["a1", "b1"]
    assert planned(manage, "refresh_agency", "demo", "--select", "a1", "--select", "reporting.a2") == ["a1", "a2"]
    shown = manage("refresh_table", "a1", "a2", "--show-changes", "1")
    assert (shown.exit_code, "--show-changes is for one view" in shown.err) == (2, True)
    typo = manage("refresh_agency", "demo", "--select", "a*", "--select", "b*")
    assert (typo.exit_code, "No view of the agency 'demo' matches 'b*'." in typo.err) == (2, True)


def test_failed_and_stale_views_are_selected_by_their_last_refresh(manage: Manage) -> None:
    create_custom_manifest("reporting.good", "SELECT 1 AS n")
    create_custom_manifest("reporting.bad", "SELECT 1 / 0 AS n")
    assert planned(manage, "refresh_all", "--stale") == ["bad", "good"]
    assert planned(manage, "refresh_all", "--failed") == []
    manage("refresh_all")
    create_custom_manifest("reporting.new", "SELECT 1 AS n")
    assert planned(manage, "refresh_all", "--failed") == ["bad"]
    assert planned(manage, "refresh_all", "--stale", "--exclude", "bad") == ["new"]
    assert planned(manage, "refresh_agency", "demo", "--failed", "--stale") == ["bad", "new"]
    sql("UPDATE reporting.seeder_custom_report_manifest SET query = 'SELECT 1 AS n'")
    assert manage("refresh_all", "--failed").exit_code == 0
    nothing = manage("refresh_all", "--failed")
    assert (nothing.exit_code, nothing.lines[1]) == (
        0,
        "Nothing to refresh: no view matches every report, only failed.",
    )


def test_fail_fast_stops_the_run_at_the_first_failure(manage: Manage) -> None:
    create_custom_manifest("reporting.bad", "SELECT 1 / 0 AS n")
    create_custom_manifest("reporting.later", "SELECT 1 AS n")
    ended = manage("refresh_all", "--fail-fast", "--workers", "1")
    assert ended.exit_code == 1
    assert "stopped (fail-fast): 0 succeeded, 1 failed, 1 interrupted in" in ended.out
    assert Run.objects.values_list("workers", "stopped_by").get() == (1, "fail-fast")


@pytest.mark.usefixtures("empty_queue")
def test_selected_views_are_queued_as_one_request(manage: Manage) -> None:
    for name in ("a1", "b1"):
        create_custom_manifest(f"reporting.{name}", "SELECT 1 AS n")
    assert manage("refresh_all", "--select", "a*", "--queue").exit_code == 0
    part = QueuedRefresh.objects.get()
    assert (part.description, part.views) == ("every report, only 'a*'", [["default", "reporting.a1"]])
    refused = manage("refresh_all", "--workers", "2", "--queue")
    assert (refused.exit_code, "--workers and --fail-fast" in refused.err) == (2, True)
