"""Groups of views that become visible together."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db.models import F
from pytest_django import Settings

from seeder.domain.mode_predictor import RefreshMode
from seeder.domain.outcomes import GroupReason, HeldReason, Outcome
from seeder.domain.refresh_requests import SingleView
from seeder.domain.view_names import ViewName
from seeder.models import CustomReportManifest, DataCheck, Freshness, JobStatus, RunHistory
from seeder.services.doctor.run_checks import run_checks
from tests.conftest import CompletedCommand, sql
from tests.integration.groups.grouped_views import (
    GROUP,
    create_grouped_views,
    create_view,
    load,
    published_versions,
    refresh,
)

pytestmark = pytest.mark.usefixtures("contract_tables")


@pytest.fixture(autouse=True)
def _group(settings: Settings, contract_tables: None) -> None:
    settings.SEEDER = {"CONSISTENT_GROUPS": {"month": GROUP}}
    create_grouped_views()


def test_selected_member_refreshes_its_group_in_one_transaction() -> None:
    load(1)
    results = refresh(SingleView(name=ViewName.parse("reporting.b")))
    assert list(results) == ["a", "b", "c"]
    assert {(one.outcome, one.mode) for one in results.values()} == {(Outcome.REFRESHED, RefreshMode.CONCURRENT)}
    assert published_versions() == (1, 1, 1)
    assert len({(one.snapshot, one.started_at) for one in results.values()}) == 1
    assert (results["a"].rows, results["a"].cost.rows_inserted) == (20, 20)
    names = ["reporting.a", "reporting.b", "reporting.c"]
    assert list(RunHistory.objects.order_by("table_name").values_list("table_name", "status")) == [
        (name, "success") for name in names
    ]
    assert set(JobStatus.objects.values_list("table_name", "status")) == {(name, "success") for name in names}
    ages = "SELECT count(DISTINCT data_as_of), count(data_as_of) FROM reporting.seeder_view_state"
    assert sql(ages) == [(1, 3)]
    assert sql("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == [(0,)]


def test_failed_member_rolls_back_its_group() -> None:
    load(1)
    sql("UPDATE reporting.divisor SET n = 0")
    results = refresh()
    reasons = {name: one.failure.reason for name, one in results.items() if one.failure}
    assert reasons == {"a": GroupReason.FAILED, "b": GroupReason.FAILED, "c": "division_by_zero"}
    assert published_versions() == (0, 0, 0)
    assert results["outside"].notes == ("It reads reporting.c, which failed in this run: data from there is not new.",)
    [errors] = RunHistory.objects.filter(table_name="reporting.a").values_list("errors", flat=True)
    assert errors == (
        "Not published, because reporting.c failed, which is in the same consistent group, month. Readers keep the data"
        " from before."
    )


def hold(name: str) -> None:
    """Add a data check that a refresh after `load(1)` does not pass."""
    DataCheck.objects.create(
        table_name=f"reporting.{name}", check_name="low", kind="condition", arguments={"expression": "id < 1"}
    )


def test_held_member_holds_its_group() -> None:
    hold("b")
    load(1)
    results = refresh()
    reasons = {name: (one.outcome, one.failure.reason) for name, one in results.items() if one.failure}
    assert reasons == {
        "a": (Outcome.HELD, HeldReason.GROUP),
        "b": (Outcome.HELD, HeldReason.DATA_CHECKS),
        "c": (Outcome.HELD, HeldReason.GROUP),
    }
    assert published_versions() == (0, 0, 0)


@pytest.mark.parametrize("mode", [RefreshMode.CONCURRENT, RefreshMode.PLAIN])
def test_held_member_and_its_dependents_are_left_out_if_allowed(settings: Settings, mode: RefreshMode) -> None:
    group = {**GROUP, "views": [*GROUP["views"], "reporting.d"], "allow_blocking": True}
    settings.SEEDER = {"CONSISTENT_GROUPS": {"month": {**group, "publish_without_held": True}}}
    create_view("d", "SELECT max(version) AS id FROM reporting.a")
    if mode is RefreshMode.PLAIN:
        sql("DROP INDEX reporting.b_id_idx")
    hold("b")
    load(1)
    results = refresh()
    reasons = {name: one.failure and one.failure.reason for name, one in results.items() if name != "outside"}
    assert reasons == {"a": None, "b": HeldReason.DATA_CHECKS, "c": HeldReason.DEPENDENCY, "d": None}
    assert (published_versions(), sql("SELECT id FROM reporting.d")) == ((1, 0, 0), [(1,)])
    assert len({one.snapshot for one in (results["a"], results["d"])}) == 1
    errors = dict(RunHistory.objects.filter(status="error").values_list("table_name", "errors"))
    assert errors.keys() == {"reporting.b", "reporting.c"}
    assert errors["reporting.c"] == (
        "Left out of the consistent group month, because it reads reporting.b, which data checks held. Readers keep the"
        " data from before."
    )
    ages = "SELECT count(DISTINCT data_as_of), count(data_as_of) FROM reporting.seeder_view_state"
    assert sql(f"{ages} WHERE view_name IN ('a', 'b', 'c', 'd')") == [(1, 2)]


def test_members_that_read_a_held_view_of_another_unit_are_left_out(settings: Settings) -> None:
    group = {"views": ["reporting.b", "reporting.outside", "reporting.d"], "publish_without_held": True}
    settings.SEEDER = {"CONSISTENT_GROUPS": {"month": group}, "HOLD_DEPENDENTS": True}
    create_view("d", "SELECT max(version) AS id FROM reporting.source")
    DataCheck.objects.create(
        table_name="reporting.a", check_name="low", kind="condition", arguments={"expression": "version < 1"}
    )
    load(1)
    outcomes = {name: one.outcome for name, one in refresh().items()}
    held = dict.fromkeys(("a", "b", "c", "outside"), Outcome.HELD)
    assert outcomes == {**held, "d": Outcome.REFRESHED}


def test_group_that_would_block_readers_is_refused_unless_allowed(settings: Settings) -> None:
    sql("DROP INDEX reporting.b_id_idx")
    load(1)
    refused = refresh()["a"].failure
    assert refused is not None
    assert refused.reason == GroupReason.REFUSED
    assert "reporting.b has no usable unique index" in refused.message.partition("\n")[0]
    assert published_versions() == (0, 0, 0)
    settings.SEEDER = {"CONSISTENT_GROUPS": {"month": {**GROUP, "allow_blocking": True}}}
    modes = {name: one.mode for name, one in refresh().items() if name != "outside"}
    assert modes == {"a": RefreshMode.CONCURRENT, "b": RefreshMode.PLAIN, "c": RefreshMode.CONCURRENT}
    assert published_versions() == (1, 1, 1)


def test_group_that_exceeds_its_time_limit_frees_its_locks(
    settings: Settings, manage: Callable[..., CompletedCommand]
) -> None:
    settings.SEEDER = {"CONSISTENT_GROUPS": {"month": {**GROUP, "max_seconds": 1}}}
    query = "SELECT id, (SELECT count(*) FROM pg_sleep(9)) AS version FROM reporting.b"
    sql(f"DROP MATERIALIZED VIEW reporting.c CASCADE; CREATE MATERIALIZED VIEW reporting.c AS {query} WITH NO DATA")
    CustomReportManifest.objects.filter(table_name="reporting.c").update(query=query)
    load(1)
    result = refresh()["a"]
    assert (failure := result.failure) is not None
    assert (failure.reason, result.duration < timedelta(seconds=8)) == (GroupReason.TIME_LIMIT, True)
    assert "It exceeded its limit of 1.00 s (max_seconds) at member 3 of 3: reporting.a " in failure.message
    assert sql("SELECT max(version) FROM reporting.a") == [(0,)]
    held = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' OR relation = 'reporting.a'::regclass"
    assert sql(held) == [(0,)]
    rows = RunHistory.objects.filter(table_name__in=["reporting.a", "reporting.b", "reporting.c"])
    assert set(rows.values_list("status", "errors")) == {("error", failure.message)}
    RunHistory.objects.update(status="success", finish_time=F("start_time") + timedelta(seconds=90))
    warning = "consistent group month: will probably exceed its limit of 1.00 s"
    assert warning in manage("refresh_table", "reporting.c", "--dry-run").lines


def test_missing_member_is_created_with_its_group() -> None:
    sql("DROP MATERIALIZED VIEW reporting.b CASCADE")
    load(1)
    results = refresh()
    assert {name: one.outcome for name, one in results.items() if not one.failure} == {
        "a": Outcome.REFRESHED,
        "b": Outcome.CREATED,
        "c": Outcome.CREATED,
        "outside": Outcome.CREATED,
    }
    assert published_versions() == (1, 1, 1)


def test_member_without_enabled_manifest_is_refused(settings: Settings) -> None:
    settings.SEEDER = {"CONSISTENT_GROUPS": {"month": {"views": ["reporting.a", "reporting.typo"]}}}
    refused = refresh()["a"].failure
    assert refused is not None
    assert "reporting.typo has no enabled manifest." in refused.message


def test_views_of_an_agency_become_visible_together(settings: Settings) -> None:
    settings.SEEDER = {"CONSISTENT_GROUPS": {"demo": {"agencies": ["demo"]}}}
    load(1)
    assert len({one.snapshot for one in refresh().values()}) == 1


def test_member_with_hidden_inputs_is_refused() -> None:
    sql("CREATE FUNCTION reporting.f() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM reporting.source'")
    sql("DROP MATERIALIZED VIEW reporting.c CASCADE")
    query = "SELECT id, reporting.f() AS version FROM reporting.b"
    CustomReportManifest.objects.filter(table_name="reporting.c").update(query=query)
    refused = refresh()["a"].failure
    assert refused is not None
    assert "reporting.c calls functions with text bodies" in refused.message


def test_dry_run_shows_the_cost_and_the_refusals_of_a_group(manage: Callable[..., CompletedCommand]) -> None:
    refresh()
    RunHistory.objects.update(finish_time=F("start_time") + timedelta(seconds=90))
    sql("DROP INDEX reporting.b_id_idx")
    lines = manage("refresh_table", "reporting.c", "--dry-run").lines
    names = "reporting.a, reporting.b, reporting.c"
    assert f"consistent group month: {names} become visible together; one worker, about 1 min 30 s" in lines
    [refusal] = [line for line in lines if line.startswith("reporting.b has no usable unique index")]
    [group] = manage("refresh_table", "reporting.c", "--dry-run", "--json").document["groups"]
    assert (group["name"], group["estimatedDurationSeconds"], group["refusals"]) == ("month", 90, [refusal])


def test_dry_run_foresees_contracts_by_the_end_of_the_group(
    manage: Callable[..., CompletedCommand], settings: Settings
) -> None:
    refresh()
    for number, row in enumerate(RunHistory.objects.all()):
        start = row.start_time - timedelta(hours=number)  # each was refreshed alone
        RunHistory.objects.filter(pk=row.pk).update(start_time=start, finish_time=start + timedelta(seconds=30))
    Freshness.objects.create(table_name="reporting.a", target_lag=timedelta(seconds=60))
    [missed] = manage("refresh_all", "--dry-run", "--json").document["missedContracts"]
    assert missed["view"] == "reporting.a"
    settings.SEEDER = {}
    assert manage("refresh_all", "--dry-run", "--json").document["missedContracts"] == []


def test_explanation_names_the_group_and_its_refusals(manage: Callable[..., CompletedCommand]) -> None:
    refresh()
    sql("DROP INDEX reporting.b_id_idx")
    out = manage("explain_view", "reporting.a").out
    assert "It becomes visible together with reporting.b, reporting.c: the consistent group month" in out
    assert "The group would not be refreshed now: reporting.b has no usable unique index" in out
    assert "refresh_table refreshes this view only" not in out
    assert (
        out.count("Concurrent, in one transaction with the consistent group month.") == 2
    )  # the last one and the next
    assert "A refresh now would run plainly" in manage("explain_view", "reporting.b").out
    assert "After a refresh, its data would be as of its start." in manage("explain_view", "reporting.c").out


def test_doctor_reports_a_group_that_would_be_refused() -> None:
    def diagnoses() -> list[tuple[str, str]]:
        found = run_checks().diagnoses
        return [(one.subject, one.message) for one in found if one.problem.name == "group_refused"]

    assert diagnoses() == []
    sql("DROP INDEX reporting.b_id_idx")
    [(subject, message)] = diagnoses()
    assert (subject, message.partition(",")[0]) == ("month", "reporting.b has no usable unique index")
