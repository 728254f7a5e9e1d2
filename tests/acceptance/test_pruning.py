"""Old history is deleted, except the last success and failure of each report."""

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

from seeder.domain.refresh_requests import AllReports
from seeder.models import QueuedRefresh, ReleaseSnapshot, Run
from seeder.services.run import orchestrator
from seeder.services.snapshots import release_snapshots
from tests.acceptance.terminal_output import plain_text, run_on_terminal
from tests.conftest import CHECKOUT, CompletedCommand, another_session, create_custom_manifest, process_environment, sql
from tests.old_rows import history_ids, insert_history_row, insert_queued_part, insert_run
from tests.polling import eventually

Manage = Callable[..., CompletedCommand]
pytestmark = pytest.mark.usefixtures("contract_tables")

LOCK = "hashtextextended('seeder.prune', 0)"
_started: list["subprocess.Popen[str]"] = []


@pytest.fixture(autouse=True)
def _kill_processes() -> Iterator[None]:
    yield
    while _started:
        with _started.pop() as process:
            process.kill()


def start(*arguments: str) -> "subprocess.Popen[str]":
    _started.append(
        subprocess.Popen(
            [sys.executable, "manage.py", "prune_history", *arguments],
            cwd=CHECKOUT,
            env=process_environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
    )
    return _started[-1]


def wait_for_blocked_sessions(count: int) -> None:
    """Wait until `count` sessions wait for a lock."""
    blocked = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    eventually(lambda: sql(blocked) >= [(count,)] or any(process.poll() is not None for process in _started))
    assert all(process.poll() is None for process in _started)


def test_prune_keeps_last_success_and_failure_of_each_report(manage: Manage) -> None:
    insert_history_row("reporting.a", 900)
    last_failure = insert_history_row("reporting.a", 800, "error")
    insert_history_row("reporting.a", 700)
    recent = [insert_history_row("reporting.a", 399), insert_history_row("reporting.a", 1)]
    insert_history_row("reporting.gone", 600)
    of_no_manifest = insert_history_row("reporting.gone", 500)
    of_another = insert_history_row("reporting.gone", 600, manifest=2)
    done = manage("prune_history")
    assert (done.exit_code, done.err) == (0, "")
    [line] = done.lines
    assert line.startswith("Pruned 3 rows of the history, 0 runs and 0 parts of the queue that ended before 20")
    assert line.endswith(" s. Kept 3 rows: the last success and the last failure of each report.")
    assert history_ids() == [last_failure, *recent, of_no_manifest, of_another]
    assert manage("prune_history").lines[0].startswith("Pruned 0 rows of the history")


def test_dry_run_reports_the_same_numbers_and_deletes_nothing(manage: Manage) -> None:
    for days in (50, 40, 30):
        insert_history_row("reporting.a", days, run=insert_run(days))
    insert_queued_part("r1", 45)
    before = history_ids()
    planned = manage("prune_history", "--days", "20", "--dry-run", "--json").document
    assert (history_ids(), Run.objects.count(), QueuedRefresh.objects.count()) == (before, 3, 1)
    assert manage("prune_history", "--days", "20", "--dry-run").out.startswith(
        "Would prune 2 rows of the history, 2 runs"
    )
    pruned = manage("prune_history", "--days", "20", "--json").document
    facts = ("days", "historyRows", "runs", "queuedRefreshes", "keptHistoryRows", "stoppedBy")
    assert [planned[fact] for fact in facts] == [pruned[fact] for fact in facts] == [20, 2, 2, 1, 1, None]
    assert (planned["dryRun"], pruned["dryRun"]) == (True, False)
    assert (history_ids(), list(Run.objects.values_list("run_id", flat=True))) == (before[2:], ["run 30 days ago"])


def test_prune_keeps_unfinished_rows_and_release_snapshots(manage: Manage) -> None:
    create_custom_manifest("reporting.a", "SELECT 1 AS n")
    orchestrator.execute_run(AllReports(), requested_by="a test")
    release_snapshots.capture_release_snapshot("reporting.a", "2020.01")
    unfinished = [insert_history_row("reporting.a", 900, "pending"), insert_history_row("reporting.a", 900, "running")]
    insert_run(900, finished=False)
    insert_queued_part("r1", None)
    insert_history_row("reporting.a", 901)
    assert manage("prune_history", "--days", "1", "--json").document["historyRows"] == 1
    assert history_ids()[-2:] == unfinished
    assert (Run.objects.count(), QueuedRefresh.objects.count(), ReleaseSnapshot.objects.count()) == (2, 1, 1)


def test_zero_days_setting_keeps_all_history(manage: Manage) -> None:
    rows = [insert_history_row("reporting.a", days) for days in (9000, 8000)]
    done = manage("prune_history", SEEDER_HISTORY_DAYS="0")
    assert (done.exit_code, done.lines) == (
        0,
        ["SEEDER_HISTORY_DAYS is 0, so nothing is pruned. Use --days to prune."],
    )
    assert manage("prune_history", "--json", SEEDER_HISTORY_DAYS="0").document["historyRows"] == 0
    assert history_ids() == rows
    assert manage("prune_history", "--days", "5", SEEDER_HISTORY_DAYS="0").exit_code == 0
    assert history_ids() == rows[1:]


@pytest.mark.parametrize(
    ("arguments", "environment", "message"),
    [
        (("--days", "0"), {}, "Cannot keep a history of 0 days: give a number from 1 to 36500."),
        (("--days", "-3"), {}, "argument --days: must be a whole number in plain digits, not '-3'"),
        (("--days", "lots"), {}, "argument --days: must be a whole number in plain digits, not 'lots'"),
        (("--batch", "0"), {}, "A batch cannot have 0 rows: give a number from 1 to 100000."),
        ((), {"SEEDER_HISTORY_DAYS": "lots"}, "SEEDER_HISTORY_DAYS is 'lots'"),
        (
            (),
            {"SEEDER_HISTORY_DAYS": "-1"},
            "SEEDER_HISTORY_DAYS is '-1', but must be a whole number from 0 to 36500",
        ),
    ],
)
def test_invalid_number_prints_one_line_and_deletes_nothing(
    manage: Manage, arguments: tuple[str, ...], environment: dict[str, str], message: str
) -> None:
    rows = [insert_history_row("reporting.a", days) for days in (9000, 8000)]
    done = manage("prune_history", *arguments, **environment)
    assert (done.exit_code, done.out, history_ids()) == (2, "", rows)
    [line] = done.err.splitlines()
    assert message in line


def test_missing_delete_privilege_prints_the_grant(manage: Manage) -> None:
    rows = [insert_history_row("reporting.a", days) for days in (9000, 8000)]
    sql('CREATE ROLE "Night Shift"; GRANT USAGE ON SCHEMA reporting TO "Night Shift"')
    sql('GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA reporting TO "Night Shift"')
    try:
        done = manage("prune_history", PGOPTIONS="-c role=Night\\ Shift")
        assert (done.exit_code, done.out, history_ids()) == (2, "", rows)
        [line] = done.err.splitlines()
        grant = line.partition("Ask their owner for: ")[2]
        assert grant.startswith("GRANT DELETE ON reporting.seeder_change_sample, reporting.seeder_check_result, ")
        assert grant.endswith('TO "Night Shift";')
        sql(grant)
        assert manage("prune_history", PGOPTIONS="-c role=Night\\ Shift").exit_code == 0
    finally:
        sql('DROP OWNED BY "Night Shift"; DROP ROLE "Night Shift"')
    assert history_ids() == rows[1:]


@pytest.mark.slow
def test_signal_stops_prune_after_its_current_batch() -> None:
    rows = [insert_history_row("reporting.a", 1000 - n) for n in range(10)]
    with another_session() as other:
        other.execute(f"SELECT pg_advisory_lock({LOCK})".encode())
        process = start("--batch", "3")
        wait_for_blocked_sessions(1)
        process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (143, "")
    assert out.startswith("Stopped by SIGTERM with 6 rows left. Pruned 3 rows of the history, 0 runs")
    assert history_ids() == rows[3:]


@pytest.mark.slow
def test_killed_prune_leaves_whole_batches_and_next_one_continues(manage: Manage) -> None:
    rows = [insert_history_row("reporting.a", 1000 - n) for n in range(10)]
    sql("INSERT INTO reporting.seeder_run_metrics (history_id) SELECT id FROM reporting.seeder_run_history")
    with another_session() as other:
        other.execute(f"BEGIN; SELECT FROM reporting.seeder_run_history WHERE id = {rows[4]} FOR UPDATE".encode())
        process = start("--batch", "3")
        wait_for_blocked_sessions(1)
        process.kill()
        process.communicate()
    lock_held = f"SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid::bigint = {LOCK} & 4294967295"
    eventually(lambda: not sql(lock_held))
    assert history_ids() == rows[3:]
    assert sql("SELECT count(*) FROM reporting.seeder_run_metrics") == [(7,)]
    assert manage("prune_history", "--json").document["historyRows"] == 6
    assert (history_ids(), sql("SELECT history_id FROM reporting.seeder_run_metrics")) == (rows[9:], [(rows[9],)])


@pytest.mark.slow
def test_two_concurrent_prunes_take_turns() -> None:
    rows = [insert_history_row("reporting.a", 1000 - n, manifest=n % 3) for n in range(24)]
    with another_session() as other:
        other.execute(f"SELECT pg_advisory_lock({LOCK})".encode())
        both = [start("--batch", "2", "--json") for _ in range(2)]
        wait_for_blocked_sessions(2)
    answers = [process.communicate(timeout=30) for process in both]
    assert [(process.returncode, err) for process, (_, err) in zip(both, answers, strict=True)] == [(0, "")] * 2
    assert history_ids() == rows[-3:]


def test_prune_on_terminal_draws_progress() -> None:
    for n in range(40):
        insert_history_row("reporting.a", 1000 - n)
    code, drawn = run_on_terminal("prune_history", "--batch", "1")
    assert code == 0
    assert "39 of 39 rows" in plain_text(drawn)
    assert plain_text(drawn).rstrip().endswith("the last success and the last failure of each report.")


def test_status_of_a_view_is_the_same_after_prune(manage: Manage) -> None:
    create_custom_manifest("reporting.good", "SELECT 1 AS n")
    create_custom_manifest("reporting.bad", "SELECT 1 / 0 AS n")
    for _ in range(3):
        orchestrator.execute_run(AllReports(), requested_by="a test")
    sql("UPDATE reporting.seeder_run_history SET start_time = start_time - '2 years'::interval")
    sql("UPDATE reporting.seeder_run_history SET finish_time = finish_time - '2 years'::interval")
    before = manage("refresh_status", "--json").document
    assert manage("prune_history", "--json").document["historyRows"] == 4
    after = manage("refresh_status", "--json").document
    assert [{**job, "recentRuns": 0} for job in after["jobs"]] == [{**job, "recentRuns": 0} for job in before["jobs"]]
