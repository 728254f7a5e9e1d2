"""Rows of runs: totals, holds, and killed runs."""

import pytest

from seeder.domain.admission_types import Hold, HoldReason
from seeder.domain.plan import RefreshPlan
from seeder.domain.refresh_requests import AgencyReports, AllReports
from seeder.domain.run_events import StartsHeld, StartsResumed
from seeder.models import Run, RunHistory, RunMetrics
from seeder.postgres.contract import OptionalTables
from seeder.postgres.transactions import atomic
from seeder.services import history_rows
from seeder.services.read_models import run_timeline
from seeder.services.run import orchestrator, orphan_recovery
from seeder.services.run.run_liveness_lock import RunLock
from seeder.services.run.run_rows import RunRowWriter
from tests.conftest import create_canned_report, create_custom_manifest, sql

pytestmark = pytest.mark.usefixtures("contract_tables")


def test_run_row_has_totals_by_agency() -> None:
    create_custom_manifest("reporting.a", "SELECT 1 AS n")
    create_custom_manifest("reporting.b", "SELECT 1 / 0 AS n", agency="metro")
    create_canned_report("reporting.c", "SELECT 1 AS n", agencies=("demo", "metro"))
    create_custom_manifest("reporting.too.many.parts", "SELECT 1", agency="harbor")
    orchestrator.execute_run(AllReports(), requested_by="an operator")
    [run] = Run.objects.all()
    assert (run.description, run.requested_by, run.manifests, run.succeeded, run.failed) == (
        "every report",
        "an operator",
        5,
        3,
        2,
    )
    assert run.agencies == {
        "demo": {"manifests": 2, "succeeded": 2, "failed": 0, "held": 0, "interrupted": 0},
        "metro": {"manifests": 2, "succeeded": 1, "failed": 1, "held": 0, "interrupted": 0},
        "harbor": {"manifests": 1, "succeeded": 0, "failed": 1, "held": 0, "interrupted": 0},
    }
    assert run.stopped_by is None
    assert run.finished_at is not None
    assert run.finished_at >= run.started_at
    assert set(Run.objects.of_agencies(["metro", "elsewhere"])) == {run}
    assert not Run.objects.of_agencies(["elsewhere"])


@pytest.mark.parametrize("is_killed", [False, True])
def test_failed_held_and_interrupted_manifests_are_counted(is_killed: bool) -> None:  # noqa: FBT001
    create_custom_manifest("reporting.good", "SELECT 1 AS n")
    create_custom_manifest("reporting.bad", "SELECT 1 / 0 AS n")
    create_custom_manifest("reporting.held", "SELECT 1 AS n")
    create_custom_manifest("reporting.stopped", "SELECT 1 AS n", agency="metro")
    orchestrator.execute_run(AllReports())
    [run] = Run.objects.all()
    held, stopped = (RunHistory.objects.get(table_name=f"reporting.{name}") for name in ("held", "stopped"))
    RunHistory.objects.filter(pk=held.pk).update(status="error", errors="a check")
    RunMetrics.objects.filter(pk=held.pk).update(reason="held")
    RunHistory.objects.filter(pk=stopped.pk).update(status="running")
    Run.objects.update(finished_at=None)
    expected = {"manifests": 4, "succeeded": 1, "failed": 2, "held": 1, "interrupted": 1}

    def totals(agencies: list[str] | None = None) -> dict[str, int]:
        [found] = run_timeline.totals(Run.objects.all(), agencies)
        return {name: getattr(found, name) for name in expected}

    with RunLock(run.run_id):
        assert totals() == {**expected, "interrupted": 0}  # it still runs
    assert totals() == expected
    if is_killed:
        orphan_recovery.recover_orphaned_runs()
    else:
        with atomic(durable=True):
            history_rows.close_open_rows(run.run_id, reason="interrupted: SIGTERM")
        RunRowWriter(run.run_id, OptionalTables.read("default")).close("SIGTERM")
    run.refresh_from_db()
    assert {name: getattr(run, name) for name in expected} == expected == totals()
    assert totals(["metro"]) == {"manifests": 1, "succeeded": 0, "failed": 0, "held": 0, "interrupted": 1}


def test_cost_row_has_worker_number_and_failure_reason() -> None:
    create_custom_manifest("reporting.a", "SELECT 1 / 0 AS n")
    orchestrator.execute_run(AgencyReports(slug="demo"))
    [row] = RunMetrics.objects.all()
    assert (row.worker_number, row.reason, row.sqlstate) == (1, "division_by_zero", "22012")


def test_holds_of_a_run_are_recorded_with_reason_and_time() -> None:
    writer = RunRowWriter("r", OptionalTables.read("default"))
    writer.open(RefreshPlan(), "every report", "", workers=1, parallel_query={})
    server_busy, open_circuit = (Hold(reason=reason, message="") for reason in HoldReason)
    writer.on_event(StartsHeld(database="default", hold=server_busy))
    writer.on_event(StartsHeld(database="archive", hold=server_busy))
    writer.on_event(StartsHeld(database="default", hold=Hold(reason=HoldReason.SERVER_BUSY, message="other numbers")))
    writer.on_event(StartsHeld(database="default", hold=open_circuit))
    writer.on_event(StartsResumed(database="default", duration=None))  # type: ignore[arg-type]  # the duration is not used
    holds = Run.objects.get().holds
    assert [(hold["database"], hold["reason"], hold["until"] is None) for hold in holds] == [
        ("default", "server_busy", False),
        ("archive", "server_busy", True),
        ("default", "circuit_open", False),
    ]
    assert all(hold["from"] <= (hold["until"] or "9") for hold in holds)


def test_killed_run_is_completed_by_recovery() -> None:
    writer = RunRowWriter("r", OptionalTables.read("default"))
    writer.open(RefreshPlan(), "every report", "", workers=1, parallel_query={})
    orphan_recovery.recover_orphaned_runs()
    run = Run.objects.get()
    assert (run.stopped_by, run.manifests) == ("killed", 0)
    assert run.finished_at is not None


def test_run_without_its_table_succeeds_with_a_warning() -> None:
    create_custom_manifest("reporting.a", "SELECT 1 AS n")
    sql("DROP TABLE reporting.seeder_run")
    events: list[object] = []
    assert orchestrator.execute_run(AllReports(), on_event=events.append).succeeded == 1
    assert "reporting.seeder_run: a table in the contract, missing here" in str(events)
