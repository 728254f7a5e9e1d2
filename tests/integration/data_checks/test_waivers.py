"""Waivers of failed data checks: bound to figures, used once, and refused without a reason."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db.models import F

from seeder.data_check_errors import CheckTableUnusable, HeldAgain, NoBaseline, NotHeld, ReasonMissing
from seeder.domain.outcomes import Outcome
from seeder.models import DataCheck, DataCheckResult, DataCheckWaiver, RunMetrics
from seeder.services.data_checks.waivers import HeldChecks, accept_checks, waive_checks
from tests.conftest import CompletedCommand, sql
from tests.integration.data_checks.checked_view import add_check, create_view, outcomes, refresh

pytestmark = pytest.mark.usefixtures("contract_tables")
VIEW = HeldChecks(table_name="reporting.a")


def waive(*names: str) -> None:
    waive_checks(HeldChecks(table_name="Reporting.A", check_names=names), reason="month end", granted_by="anna")


@pytest.fixture
def held_view(contract_tables: None) -> None:
    """A view that is held because of 3 nulls and a drop to 900 rows."""
    create_view()
    add_check("row_count", arguments={"max_drop": 0.05})
    add_check("not_null", arguments={"column": "status"})
    refresh()
    sql("DELETE FROM reporting.source WHERE id > 900")
    sql("UPDATE reporting.source SET status = NULL WHERE id < 4")
    assert refresh()["a"].outcome is Outcome.HELD


@pytest.mark.usefixtures("held_view")
def test_waived_view_is_published_once() -> None:
    waive()
    result = refresh()["a"]
    assert (result.outcome, outcomes(result)) == (Outcome.REFRESHED, {"row_count": "waived", "not_null": "waived"})
    assert result.notes[1] == (
        "Published although not_null failed, by a waiver of anna (month end): 3 of 900 rows with a null in column"
        ' "status".'
    )
    assert RunMetrics.objects.latest("history_id").notes == "\n".join(result.notes)
    assert sql("SELECT count(*) FROM reporting.a") == [(900,)]
    assert not DataCheckWaiver.objects.filter(used_at=None).exists()
    result = refresh()["a"]
    assert outcomes(result) == {"row_count": "passed", "not_null": "failed"}, "the published count is accepted"
    assert result.outcome is Outcome.HELD


@pytest.mark.usefixtures("held_view")
@pytest.mark.parametrize(
    "change",
    [
        "UPDATE reporting.source SET status = NULL WHERE id = 4",
        "DELETE FROM reporting.source WHERE id = 900",
    ],
)
def test_worse_data_than_waived_are_held(change: str) -> None:
    waive()
    sql(change)
    assert refresh()["a"].outcome is Outcome.HELD
    assert DataCheckWaiver.objects.filter(used_at=None).count() == 2, "a waiver that does not help stays"


@pytest.mark.usefixtures("held_view")
def test_better_data_than_waived_are_published() -> None:
    waive()
    sql("UPDATE reporting.source SET status = 'open' WHERE id = 1")
    assert refresh()["a"].outcome is Outcome.REFRESHED


@pytest.mark.usefixtures("held_view")
def test_waiver_of_one_check_does_not_publish_a_view_held_by_two() -> None:
    waive("not_null")
    assert refresh()["a"].outcome is Outcome.HELD
    waive("row_count")
    assert refresh()["a"].outcome is Outcome.REFRESHED


@pytest.mark.usefixtures("held_view")
def test_waiver_replaces_an_unused_one_of_the_same_check() -> None:
    waive()
    waive("not_null")
    assert refresh()["a"].outcome is Outcome.REFRESHED
    assert DataCheckWaiver.objects.filter(used_at__isnull=False).count() == 2
    assert refresh()["a"].outcome is Outcome.HELD


@pytest.mark.usefixtures("held_view")
def test_expired_waiver_does_not_publish() -> None:
    waive()
    DataCheckWaiver.objects.update(expires_at=F("granted_at") - timedelta(days=1))
    assert refresh()["a"].outcome is Outcome.HELD


def test_check_that_cannot_run_is_waived_for_its_sqlstate() -> None:
    create_view()
    check = add_check("condition", arguments={"expression": "nope > 1"})
    refresh()
    waive()
    check.arguments = {"expression": "1 / (id - id) > 0"}
    check.save()
    assert refresh()["a"].outcome is Outcome.HELD
    check.arguments = {"expression": "nope > 1"}
    check.save()
    assert refresh()["a"].outcome is Outcome.CREATED


@pytest.mark.usefixtures("held_view")
def test_waiver_does_not_cover_a_check_that_was_changed_since() -> None:
    waive()
    DataCheck.objects.filter(check_name="not_null").update(arguments={"column": "amount"})
    sql("UPDATE reporting.source SET status = 'open', amount = CASE id WHEN 1 THEN NULL ELSE amount END")
    assert refresh()["a"].outcome is Outcome.HELD


def test_stale_data_are_waived_unless_they_become_older() -> None:
    create_view()
    add_check("freshness", arguments={"column": "at", "max_age_hours": 1})
    sql("UPDATE reporting.source SET at = now() - interval '2 hours'")
    refresh()
    waive()
    sql("UPDATE reporting.source SET at = at - interval '1 minute'")
    assert refresh()["a"].outcome is Outcome.HELD
    sql("UPDATE reporting.source SET at = at + interval '1 minute'")
    assert refresh()["a"].outcome is Outcome.CREATED


@pytest.mark.usefixtures("held_view")
def test_accepted_count_is_the_new_baseline() -> None:
    accept_checks(HeldChecks(table_name="reporting.a", check_names=["row_count"]), reason="r", granted_by="anna")
    sql("UPDATE reporting.source SET status = 'open'")
    sql("DELETE FROM reporting.source WHERE id > 855")
    result = refresh()["a"]
    assert (result.outcome, result.checks[0].figures["last_accepted"]) == (Outcome.REFRESHED, 900)
    sql("DELETE FROM reporting.source WHERE id > 813")
    assert refresh()["a"].outcome is Outcome.REFRESHED, "compared with the published count"


@pytest.mark.usefixtures("held_view")
def test_only_counts_with_a_baseline_can_be_accepted() -> None:
    with pytest.raises(NoBaseline, match="The data check not_null would fail again if its values were accepted"):
        accept_checks(VIEW, reason="r", granted_by="anna")
    DataCheck.objects.filter(check_name="row_count").update(arguments={"min": 950, "max_drop": 0.05})
    refresh()
    with pytest.raises(NoBaseline, match="The data check row_count would fail again"):
        accept_checks(HeldChecks(table_name="a", check_names=["row_count"]), reason="r", granted_by="anna")
    assert not DataCheckWaiver.objects.exists()


@pytest.mark.usefixtures("held_view")
def test_decision_needs_a_reason_and_a_held_view() -> None:
    with pytest.raises(ReasonMissing):
        waive_checks(VIEW, reason=" ", granted_by="anna")
    with pytest.raises(NotHeld, match=r"^reporting\.b is not held: its last refresh had no data checks"):
        waive_checks(HeldChecks(table_name="b"), reason="r", granted_by="anna")
    with pytest.raises(NotHeld, match=r"^reporting\.a is not held by nope: its last refresh is run 2"):
        waive_checks(HeldChecks(table_name="a", check_names=["nope"]), reason="r", granted_by="anna")
    with pytest.raises(HeldAgain):
        waive_checks(HeldChecks(table_name="a", run_id="other"), reason="r", granted_by="anna")
    waive_checks(
        HeldChecks(table_name="a", run_id=DataCheckResult.objects.latest("history_id").run_id),
        reason="r",
        granted_by="anna",
    )
    refresh()
    with pytest.raises(NotHeld, match="was published"):
        waive_checks(VIEW, reason="r", granted_by="anna")


@pytest.mark.usefixtures("held_view")
def test_held_view_without_the_table_of_waivers_stays_held() -> None:
    sql("DROP TABLE reporting.seeder_check_waiver")
    with pytest.raises(CheckTableUnusable, match=r"seeder_check_waiver.*Without it a failed data check cannot be wai"):
        waive()
    assert refresh()["a"].outcome is Outcome.HELD


@pytest.mark.usefixtures("held_view")
def test_commands_waive_and_accept(manage: Callable[..., CompletedCommand]) -> None:
    assert "waive_check reporting.a --reason" in manage("refresh_table", "reporting.a").out
    [line] = [line for line in manage("refresh_status", "--failing").lines if line.startswith("reporting.a: ")]
    assert line.startswith("reporting.a: held 2 times; ")
    assert ": held: Not published, because of 2 of 2 data checks: row_count: 900 rows, expected at least 950" in line
    first = manage("waive_check", "reporting.a", "not_null", "--reason", "r")
    assert first.lines[1:] == [
        "reporting.a is still held by row_count. Correct the data, or decide on each of these checks, too."
    ]
    accepted = manage("accept_check", "reporting.a", "row_count", "--reason", "r", "--by", "anna", "--json")
    assert accepted.document["stillHeldBy"] == []
    [decision] = accepted.document["decisions"]
    assert (decision["decision"], decision["grantedBy"], decision["figures"]["rows"]) == ("accept", "anna", 900)
    waived = manage("waive_check", "reporting.a", "not_null", "--reason", "month end", "--by", "anna")
    assert waived.lines == [
        "Waived once not_null of reporting.a: rows 900, bad_rows 3, tolerated 0",
        "Refresh the view to publish it: manage.py refresh_table reporting.a",
    ]
    assert manage("refresh_table", "reporting.a").exit_code == 0
    refused = manage("waive_check", "reporting.a", "--reason", "r")
    assert (refused.exit_code, refused.err.startswith("CommandError: reporting.a is not held")) == (2, True)
