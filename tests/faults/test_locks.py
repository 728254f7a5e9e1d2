"""Another session has locked the view."""

import subprocess

import pytest
from pytest_django import Settings

from embedded.file_locks import poll_until
from seeder.domain.outcomes import Outcome
from seeder.models import RunHistory
from tests.acceptance.refresh_processes import start
from tests.conftest import another_session, create_custom_manifest, sql
from tests.faults.gated_views import (
    GATED_QUERY,
    build_gate,
    create_filled_view,
    create_gated_view,
    latest_statuses,
    open_gate,
    refresh_everything,
    results_by_name,
    run_in_background,
    sqlstate_of,
    wait_until_at_gate,
)
from tests.faults.private_server import MAX_WAIT_SECONDS, PrivateServer, wait_until

pytestmark = pytest.mark.usefixtures("contract_tables")


@pytest.mark.slow
def test_long_reader_fails_one_view_which_keeps_its_data(settings: Settings) -> None:
    settings.SEEDER = {"LOCK_TIMEOUT_MS": 100, "MAX_RETRIES": 2, "MAX_WORKERS": 1}
    sql("CREATE TABLE reporting.source AS SELECT 1 AS n")
    for name in "abc":
        create_filled_view(name)
    sql("UPDATE reporting.source SET n = 2")
    with another_session() as reader:
        reader.execute("BEGIN; SELECT n FROM reporting.a")
        results = refresh_everything()
    assert sqlstate_of(results["a"]) == "55P03"
    assert results["a"].attempts == 3
    assert (results["b"].outcome, results["c"].outcome) == (Outcome.REFRESHED, Outcome.REFRESHED)
    assert sql("SELECT a.n, b.n, c.n FROM reporting.a, reporting.b, reporting.c") == [(1, 2, 2)]
    assert refresh_everything()["a"].outcome is Outcome.REFRESHED


VACUUMED = "SELECT 1 FROM pg_stat_progress_vacuum WHERE relid = 'reporting.a'::regclass"


@pytest.mark.parametrize("concurrently", [False, True], ids=["plain", "concurrent"])
@pytest.mark.slow
def test_blocking_autovacuum_is_cancelled_before_the_lock_timeout(
    concurrently: bool,  # noqa: FBT001  # parameter of pytest
    settings: Settings,
    server: PrivateServer,
) -> None:
    settings.SEEDER = {"REFRESH_CONCURRENTLY": concurrently}
    server.restart(autovacuum="on", autovacuum_naptime="1s")
    create_filled_view("a", "SELECT generate_series(1, 20000) AS n")
    sql("CREATE UNIQUE INDEX ON reporting.a (n)")
    # It pauses 0.1 s after every page, so it needs most of a minute.
    sql(
        "ALTER MATERIALIZED VIEW reporting.a SET (autovacuum_vacuum_insert_threshold = 0,"
        " autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_cost_delay = 100,"
        " autovacuum_vacuum_cost_limit = 1)"
    )
    wait_until(lambda: sql(VACUUMED))
    before = server.log.count("canceling autovacuum task")
    result = refresh_everything()["a"]
    assert (result.outcome, result.attempts) == (Outcome.REFRESHED, 1)
    assert server.log.count("canceling autovacuum task") == before + 1


@pytest.fixture
def first_run() -> "subprocess.Popen[str]":
    """A process whose refresh of view `a` waits at the gate."""
    create_gated_view("a")
    first = start()
    wait_until_at_gate(1)
    return first


@pytest.mark.slow
def test_second_run_times_out_and_leaves_the_first_alone(
    first_run: "subprocess.Popen[str]", settings: Settings
) -> None:
    settings.SEEDER = {"LOCK_TIMEOUT_MS": 100, "MAX_WAIT_SECONDS": 1, "MAX_RETRIES": 1}
    second = refresh_everything()["a"]
    assert (sqlstate_of(second), second.attempts) == ("55P03", 2)
    assert first_run.poll() is None
    open_gate()
    out, err = first_run.communicate(timeout=60)
    assert (first_run.returncode, err) == (0, "")
    assert "1 succeeded, 0 failed in" in out
    assert list(RunHistory.objects.order_by("id").values_list("status", flat=True)) == ["success", "error"]


@pytest.mark.slow
def test_second_run_refreshes_again_after_the_first(
    first_run: "subprocess.Popen[str]",
) -> None:
    second = start(SEEDER_LOCK_TIMEOUT_MS="30000", SEEDER_MAX_RETRIES="0")
    wait_until(lambda: sql("SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"))
    assert len(wait_until_at_gate(1)) == 1, "never both concurrently"
    open_gate()
    for process in (first_run, second):
        _, err = process.communicate(timeout=60)
        assert (process.returncode, err) == (0, "")
    last = RunHistory.objects.order_by("id").last()
    assert last
    assert sql("SELECT run FROM reporting.a") == [(f"seeder {last.run_id}",)]
    assert latest_statuses() == {"a": ("success", None)}


MAX_PLANNING_WAIT = 6.0  # seconds; planning waits three of them for a view that another run creates


@pytest.mark.slow
def test_dependency_on_a_view_being_created_is_found(settings: Settings) -> None:
    settings.SEEDER = {"LOCK_TIMEOUT_MS": 20_000}
    build_gate()
    create_custom_manifest("reporting.a", GATED_QUERY)
    create_custom_manifest("reporting.b", "SELECT run FROM reporting.a")
    first = start()
    wait_until_at_gate(1)
    with run_in_background() as run:
        errors = RunHistory.objects.filter(table_name="reporting.b", status="error")
        poll_until(lambda: errors.exists() or None, MAX_PLANNING_WAIT)
        open_gate()
        results = results_by_name(run.result(MAX_WAIT_SECONDS))
    assert first.wait(MAX_WAIT_SECONDS) == 0
    assert {name: result.failure for name, result in results.items()} == {"a": None, "b": None}
