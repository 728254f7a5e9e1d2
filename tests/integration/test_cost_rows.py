"""The optional table of refresh costs."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from seeder.domain.mode_predictor import RefreshMode
from seeder.domain.outcomes import Outcome, RefreshResult
from seeder.domain.refresh_costs import BackendCost, RefreshCost, StatementCost
from seeder.domain.run_events import ViewEnded
from seeder.models import RunHistory, RunMetrics
from seeder.postgres import refresh_cost_queries, transactions
from seeder.postgres.contract import OptionalTables
from seeder.services.history_rows import RunHistoryWriter
from seeder.services.run.cost_meter import CostMeter, save_costs
from tests.conftest import another_session, sql
from tests.unit.domain.plan_values import plan

SECOND = timedelta(seconds=1)
NOW = datetime(2026, 1, 1, tzinfo=UTC)
RESULT = RefreshResult(
    outcome=Outcome.REFRESHED,
    started_at=NOW,
    finished_at=NOW,
    mode=RefreshMode.PLAIN,
    fell_back=True,
    snapshot="10:20:11",
    consistent_group="month",
)
WAITED = RefreshCost(worker_wait=2 * SECOND, throttle_wait=timedelta(), lock_wait=SECOND / 4)
STATEMENT = StatementCost(
    calls=1,
    total_exec_time=500.0,
    rows=1,
    shared_blocks_hit=2,
    shared_blocks_read=3,
    shared_blocks_dirtied=4,
    shared_blocks_written=5,
    temp_blocks_read=6,
    temp_blocks_written=7,
    wal_bytes=8,
)
FULL = RefreshCost(
    worker_number=3,
    worker_wait=2 * SECOND,
    throttle_wait=timedelta(),
    lock_wait=SECOND / 4,
    statement=STATEMENT,
    backend=BackendCost(pid=1, read_bytes=9, write_bytes=10, wal_bytes=11),
    cpu_time=SECOND / 8,
    peak_memory_bytes=12,
    rows_inserted=13,
    rows_deleted=14,
    vacuum_time=SECOND * 0.75,
)
# A role of every server without any privilege.
UNPRIVILEGED_ROLE = "pg_signal_backend"


@pytest.fixture(autouse=True)
def role(contract_tables: None) -> Iterator[None]:
    yield
    sql("RESET ROLE")


def row() -> int:
    names = ("run_id", "table_name", "report_name", "agency_slug", "report_type", "status")
    text = dict.fromkeys(names, "custom") | {"status": "success"}
    return RunHistory.objects.create(manifest_id=1, agency_id=1, **text).pk


def measured_refresh(*history_ids: int, cost: RefreshCost = WAITED) -> tuple[Iterable[int], RefreshResult]:
    return history_ids, replace(RESULT, cost=cost)


def meter_of_one_refresh(tables: OptionalTables) -> CostMeter:
    """Return the meter of a run that has refreshed one view."""
    refresh_plan, history = plan("a"), RunHistoryWriter("r1")
    history.insert_pending(refresh_plan)
    meter = CostMeter([], history, tables)
    meter.on_event(ViewEnded(view=refresh_plan.views[0], result=RESULT))
    return meter


def test_known_costs_are_written_early_and_the_rest_later() -> None:
    first, second, other = row(), row(), row()
    save_costs([measured_refresh(first, second)])
    assert RunMetrics.objects.filter(lock_wait_seconds=0.25, statement_calls=None).count() == 2
    save_costs([measured_refresh(first, second, cost=FULL), measured_refresh(other)])
    assert RunMetrics.objects.values().get(pk=second) == {
        "history_id": second,
        "mode": "plain",
        "mode_reason": None,
        "fell_back": True,
        "attempts": 1,
        "reason": None,
        "sqlstate": None,
        "worker_number": 3,
        "worker_wait_seconds": 2.0,
        "throttle_wait_seconds": 0.0,
        "lock_wait_seconds": 0.25,
        "statement_calls": 1,
        "statement_total_ms": 500.0,
        "statement_mean_ms": 500.0,
        "statement_rows": 1,
        "shared_blocks_hit": 2,
        "shared_blocks_read": 3,
        "shared_blocks_dirtied": 4,
        "shared_blocks_written": 5,
        "temp_blocks_read": 6,
        "temp_blocks_written": 7,
        "statement_wal_bytes": 8,
        "backend_read_bytes": 9,
        "backend_write_bytes": 10,
        "backend_wal_bytes": 11,
        "cpu_seconds": 0.125,
        "peak_memory_bytes": 12,
        "rows_inserted": 13,
        "rows_deleted": 14,
        "vacuum_seconds": 0.75,
        "notes": None,
        "snapshot": "10:20:11",
        "consistent_group": "month",
    }
    assert RunMetrics.objects.count() == 3


def test_costs_of_a_run_are_written_by_one_statement() -> None:
    rows = [row() for _ in range(50)]
    sql("CREATE TABLE reporting.statements ()")
    sql(
        "CREATE FUNCTION reporting.count() RETURNS trigger LANGUAGE plpgsql"
        " AS 'BEGIN INSERT INTO reporting.statements DEFAULT VALUES; RETURN NULL; END'"
    )
    sql("CREATE TRIGGER count AFTER INSERT ON reporting.seeder_run_metrics EXECUTE FUNCTION reporting.count()")
    save_costs(measured_refresh(pk) for pk in rows)
    save_costs([])
    assert sql("SELECT count(*) FROM reporting.statements") == [(1,)]
    assert RunMetrics.objects.count() == 50


def test_costs_are_rolled_back_with_the_refresh() -> None:
    first = row()
    with transactions.rolled_back_atomic("default"):
        save_costs([measured_refresh(first)])
    assert not RunMetrics.objects.exists()


def test_costs_are_deleted_with_their_history_row() -> None:
    first, second = row(), row()
    save_costs([measured_refresh(first)])
    RunHistory.objects.filter(pk=first).delete()
    assert not RunMetrics.objects.exists()
    sql("DROP TABLE reporting.seeder_run_metrics")
    RunHistory.objects.filter(pk=second).delete()
    assert not RunHistory.objects.exists()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("DROP TABLE {}", ": a table in the contract, missing here"),
        ("ALTER TABLE {} DROP cpu_seconds", ".cpu_seconds: double precision null in the contract, missing here"),
        (
            "ALTER TABLE {} ALTER mode SET NOT NULL",
            ".mode: text null in the contract, text not null here",
        ),
        (
            f"GRANT SELECT ON {{}} TO {UNPRIVILEGED_ROLE}; SET ROLE {UNPRIVILEGED_ROLE}",
            ": no USAGE and INSERT and UPDATE privilege",
        ),
    ],
)
def test_unusable_table_is_reported_and_not_written(change: str, reason: str, monkeypatch: pytest.MonkeyPatch) -> None:
    sql(change.format("reporting.seeder_run_metrics"))
    tables = OptionalTables.read("default")
    sql("RESET ROLE")
    assert tables.unusable["seeder_run_metrics"] == f"reporting.seeder_run_metrics{reason}"
    monkeypatch.setattr(refresh_cost_queries, "save_costs", lambda *_: pytest.fail("written"))
    meter_of_one_refresh(tables).close()


@pytest.mark.parametrize(
    "change",
    [
        "DROP TABLE {}",
        "ALTER TABLE {} ADD beyond integer NOT NULL",
        "ALTER TABLE {} DROP CONSTRAINT seeder_run_metrics_pkey",
    ],
)
def test_failed_write_does_not_end_the_run(change: str) -> None:
    meter = meter_of_one_refresh(OptionalTables.read("default"))
    sql(change.format("reporting.seeder_run_metrics"))
    meter.close()
    assert RunHistory.objects.get().status == "pending"


def test_costs_are_written_after_a_lost_connection() -> None:
    meter = meter_of_one_refresh(OptionalTables.read("default"))
    [(pid,)] = sql("SELECT pg_backend_pid()")
    with another_session() as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
    meter.close()
    meter.close()
    assert RunMetrics.objects.exists()
