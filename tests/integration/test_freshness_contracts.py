"""Freshness contracts in their table, and in the plan of a run."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import IntegrityError

from seeder.domain.refresh_requests import AllReports
from seeder.domain.run_events import RunEvent, RunStarted, RunWarning, WarningKind
from seeder.domain.view_names import ViewName
from seeder.models import Freshness
from seeder.postgres.contract import OptionalTables
from seeder.services import freshness_contracts
from seeder.services.run import orchestrator
from tests.conftest import CompletedCommand, create_canned_report, create_custom_manifest, sql

pytestmark = pytest.mark.usefixtures("contract_tables")

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


def load() -> freshness_contracts.Contracts:
    return freshness_contracts.load_contracts(OptionalTables.read("default"))


def set_last_duration(view: str, seconds: int) -> None:
    """Make the last success of a view as long as this."""
    sql(
        "UPDATE reporting.seeder_run_history SET start_time = finish_time - make_interval(secs => %s)"
        " WHERE table_name = %s",
        seconds,
        view,
    )


def create_views(**seconds: int) -> None:
    for name in seconds:
        create_custom_manifest(f"reporting.{name}", "SELECT 1 AS n")
    orchestrator.execute_run(AllReports())
    for name, duration in seconds.items():
        set_last_duration(f"reporting.{name}", duration)


def test_contract_of_a_view_replaces_those_of_its_agencies() -> None:
    Freshness.objects.create(agency_slug="demo", target_lag=HOUR)
    Freshness.objects.create(table_name='"reporting".A', target_lag=3 * HOUR)
    found = load()
    own, agency = ViewName(schema="reporting", name="a"), ViewName(schema="reporting", name="b")
    assert [one.target_lag for one in found.of_view(own, ["demo"])] == [3 * HOUR]
    assert [one.target_lag for one in found.of_view(agency, ["demo", "metro", "demo"])] == [HOUR]
    assert found.of_view(agency, ["metro"]) == []


def test_contract_that_cannot_be_read_is_listed_with_its_problem() -> None:
    Freshness.objects.create(agency_slug="demo", due_at="06:30", due_zone="Mars/Olympus")
    Freshness.objects.create(agency_slug="demo", due_at="06:30", due_days="5-1")
    Freshness.objects.create(table_name="a.b.c", target_lag=HOUR)
    found = load()
    assert [one.message.partition(": ")[2][:14] for one in found.invalid] == [
        "'Mars/Olympus'",
        "'5-1' are no w",
        "'a.b.c' is not",
    ]
    assert (dict(found.of_agencies), dict(found.of_views)) == ({}, {})


@pytest.mark.parametrize(
    "columns",
    [
        {"target_lag": HOUR},
        {"agency_slug": "a", "table_name": "b", "target_lag": HOUR},
        {"agency_slug": "a"},
        {"agency_slug": "a", "target_lag": HOUR, "due_at": "06:30"},
        {"agency_slug": "a", "target_lag": timedelta(seconds=59)},
        {"agency_slug": "a", "target_lag": HOUR, "grace": -HOUR},
        {"agency_slug": "a", "due_at": "06:30", "due_days": "mon"},
        {"agency_slug": "a", "due_at": "06:30", "severity": "fatal"},
    ],
)
def test_table_refuses_impossible_contracts(columns: dict[str, object]) -> None:
    with pytest.raises(IntegrityError):
        Freshness.objects.create(**columns)


def test_run_starts_with_the_view_of_the_least_slack() -> None:
    create_views(a=300, b=20, c=10)
    assert [view.key.name.name for view in orchestrator.preview(AllReports()).views] == ["a", "b", "c"]
    Freshness.objects.create(table_name="reporting.c", target_lag=MINUTE)
    Freshness.objects.create(table_name="reporting.b", target_lag=2 * MINUTE)
    plan = orchestrator.preview(AllReports())
    assert [view.key.name.name for view in plan.views if view.latest_start] == ["c", "b"]


def test_run_warns_of_contracts_that_it_will_miss() -> None:
    create_views(a=300, b=20)
    Freshness.objects.create(agency_slug="demo", target_lag=2 * MINUTE, severity="warn")
    events: list[RunEvent] = []
    orchestrator.execute_run(AllReports(), on_event=events.append)
    warnings = [event for event in events if isinstance(event, RunWarning)]
    assert [event.kind for event in warnings] == [WarningKind.CONTRACT_AT_RISK]
    assert warnings[0].message.startswith(
        "reporting.a will probably miss its contract (at most 2 min 00 s old): it is expected at "
    )
    [started] = [event for event in events if isinstance(event, RunStarted)]
    assert [missed.view.name.name for missed in started.plan.missed_contracts] == ["a"]


def test_dry_run_lists_the_contracts_that_will_be_missed(manage: Callable[..., CompletedCommand]) -> None:
    create_views(a=300)
    Freshness.objects.create(agency_slug="demo", target_lag=2 * MINUTE)
    [missed] = manage("refresh_all", "--dry-run", "--json").document["missedContracts"]
    assert (missed["view"], missed["severity"], missed["isLate"]) == ("reporting.a", "error", False)
    assert "reporting.a will probably miss its contract" in manage("refresh_all", "--dry-run").out


def test_contracts_of_shared_views_come_from_each_agency() -> None:
    create_canned_report("reporting.shared", "SELECT 1 AS n", agencies=("demo", "metro"))
    Freshness.objects.create(agency_slug="metro", target_lag=HOUR)
    [view] = orchestrator.preview(AllReports()).views
    assert view.latest_start is not None


def test_run_without_the_table_works_without_deadlines() -> None:
    create_views(a=1)
    sql("DROP TABLE reporting.seeder_freshness")
    events: list[RunEvent] = []
    assert orchestrator.execute_run(AllReports(), on_event=events.append).failed == 0
    [warning] = [event for event in events if isinstance(event, RunWarning)]
    assert "Without it no view has a deadline" in warning.message
