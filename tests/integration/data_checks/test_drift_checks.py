"""Drift checks: new rows compared with a release snapshot."""

import pytest

from seeder.data_check_errors import NoBaseline
from seeder.domain.outcomes import Outcome
from seeder.services.data_checks.waivers import HeldChecks, accept_checks, waive_checks
from seeder.services.snapshots import release_snapshots
from tests.conftest import sql
from tests.integration.data_checks.checked_view import add_check, create_view, outcomes, refresh

pytestmark = pytest.mark.usefixtures("contract_tables")


@pytest.fixture
def released_view(contract_tables: None) -> None:
    create_view()
    refresh()
    release_snapshots.capture_release_snapshot("reporting.a", "v1")


@pytest.mark.usefixtures("released_view")
def test_rows_like_those_of_the_release_are_published() -> None:
    add_check("drift")
    sql("DELETE FROM reporting.source WHERE id > 600")
    result = refresh()["a"]
    assert (result.outcome, outcomes(result)) == (Outcome.REFRESHED, {"drift": "passed"})


@pytest.mark.usefixtures("released_view")
def test_rows_unlike_those_of_the_release_are_held() -> None:
    add_check("drift")
    sql("DELETE FROM reporting.source WHERE id > 400")
    sql("UPDATE reporting.source SET status = NULL")
    result = refresh()["a"]
    assert result.outcome is Outcome.HELD
    assert result.failure is not None
    assert (
        "it differs from release v1: rows 1,000 → 400 (-60.0%); status: share of nulls 0.0% → 100.0%."
        in result.failure.message
    )
    assert result.checks[0].figures["rows"] == 400


@pytest.mark.usefixtures("released_view")
def test_notices_hold_only_if_they_are_included() -> None:
    sql("DELETE FROM reporting.source WHERE id > 800")
    add_check("drift")
    add_check("drift", name="notices", arguments={"from_severity": "notice"})
    assert outcomes(refresh()["a"]) == {"drift": "passed", "notices": "failed"}


@pytest.mark.usefixtures("released_view")
def test_latest_snapshot_counts_unless_one_is_named() -> None:
    sql("DELETE FROM reporting.source WHERE id > 400")
    refresh()
    release_snapshots.capture_release_snapshot("reporting.a", "v2")
    add_check("drift", name="latest")
    add_check("drift", name="first", arguments={"release_tag": "v1"})
    add_check("drift", name="missing", arguments={"release_tag": "v3"})
    assert outcomes(refresh()["a"]) == {"latest": "passed", "first": "failed", "missing": "could_not_run"}


def test_view_without_a_snapshot_passes() -> None:
    create_view()
    add_check("drift")
    assert refresh()["a"].outcome is Outcome.CREATED


@pytest.mark.usefixtures("released_view")
def test_recreated_view_without_a_column_is_held() -> None:
    sql("DROP MATERIALIZED VIEW reporting.a; CREATE MATERIALIZED VIEW reporting.a AS SELECT id FROM reporting.source")
    add_check("drift")
    result = refresh()["a"]
    assert result.outcome is Outcome.HELD
    assert "status: column removed (text); amount: column removed (numeric)" in str(result.failure)


@pytest.mark.usefixtures("released_view")
def test_accepted_drift_is_the_new_baseline() -> None:
    add_check("drift")
    sql("DELETE FROM reporting.source WHERE id > 400")
    sql("UPDATE reporting.source SET status = NULL")
    refresh()
    accept_checks(HeldChecks(table_name="reporting.a"), reason="r", granted_by="anna")
    sql("DELETE FROM reporting.source WHERE id > 390")
    result = refresh()["a"]
    assert (result.outcome, result.checks[0].figures["release"]) == (Outcome.REFRESHED, None)
    sql("DELETE FROM reporting.source WHERE id > 150")
    result = refresh()["a"]
    assert result.outcome is Outcome.HELD
    assert "it differs from what was accepted at 20" in str(result.failure)
    release_snapshots.capture_release_snapshot("reporting.a", "later")
    assert refresh()["a"].checks[0].figures["release"] == "later"


@pytest.mark.usefixtures("released_view")
def test_drift_from_a_named_release_cannot_be_accepted() -> None:
    add_check("drift", arguments={"release_tag": "v1"})
    sql("DELETE FROM reporting.source WHERE id > 400")
    refresh()
    with pytest.raises(NoBaseline):
        accept_checks(HeldChecks(table_name="reporting.a"), reason="r", granted_by="anna")


@pytest.mark.usefixtures("released_view")
def test_waiver_covers_differences_that_are_no_larger() -> None:
    add_check("drift")
    sql("DELETE FROM reporting.source WHERE id > 400")
    refresh()
    waive_checks(HeldChecks(table_name="reporting.a"), reason="r", granted_by="anna")
    sql("DELETE FROM reporting.source WHERE id = 400")
    assert refresh()["a"].outcome is Outcome.HELD
    sql("INSERT INTO reporting.source SELECT * FROM reporting.source WHERE id < 3")
    assert refresh()["a"].outcome is Outcome.REFRESHED
