"""Data checks on the result of a view's query, before a refresh that blocks readers."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from pytest_django import Settings

from seeder import conf
from seeder.domain.data_checks import check_order
from seeder.domain.data_checks.check_order import CheckOrder, choose_order
from seeder.domain.data_checks.results import DataCheck
from seeder.domain.data_checks.rules import NotNull, Unique
from seeder.domain.outcomes import Outcome
from seeder.domain.refresh_requests import AllReports
from seeder.errors import RunLockLost
from seeder.models import JobStatus, RunHistory
from seeder.postgres import data_check_queries
from seeder.postgres.transactions import BatchedTransaction
from seeder.services.data_checks import check_ordering
from seeder.services.data_checks.run_data_checks import RunDataChecks
from seeder.services.data_checks.waivers import HeldChecks, waive_checks
from seeder.services.run import orchestrator, view_refresh
from seeder.services.run.create_or_refresh import create_or_refresh
from tests.conftest import another_session, server_major_version, sql
from tests.integration.data_checks.checked_view import add_check, create_view, outcomes, refresh
from tests.polling import eventually

CHECKS_BEFORE = [
    ("row_count", {"min": 500, "max_drop": 0.2}),
    ("not_null", {"column": "id"}),
    ("unique", {"columns": ["id"]}),
    ("accepted_values", {"column": "status", "values": ["open", "done"]}),
    ("range", {"column": "amount", "min": 0, "max": 1000}),
    ("freshness", {"column": "at", "max_age_hours": 24}),
    ("condition", {"expression": "amount < 1000 AND at <= now() -- a comment"}),
]
CHECKS_INSIDE = [
    ("query", {"query": "SELECT id FROM reporting.a WHERE amount > 999;"}),
]


@pytest.fixture
def checked_view(contract_tables: None, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """A view whose checks pay before the refresh, although it is small."""
    settings.SEEDER = {"READER_WAIT_BUDGET_MS": 0}
    monkeypatch.setattr(check_order, "_MIN_SHARE", 0)
    create_view()
    refresh()


@contextmanager
def counted_queries() -> Iterator[list[str]]:
    """Count the views that were checked before their refresh."""
    checked: list[str] = []
    original = RunDataChecks.check_query

    def observe(self: RunDataChecks, view: Any, order: CheckOrder) -> Any:
        checked.append(str(view.key.name))
        return original(self, view, order)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RunDataChecks, "check_query", observe)
        yield checked


def counted_scans(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Return a list that gets the arguments of each scan."""
    original, scans = data_check_queries.scan_statement, list[Any]()

    def count_scans(*arguments: Any) -> Any:
        scans.append(arguments)
        return original(*arguments)

    monkeypatch.setattr(data_check_queries, "scan_statement", count_scans)
    return scans


@contextmanager
def before_refresh(action: Callable[[], object]) -> Iterator[None]:
    """Run something between the checks and the first refresh."""
    original, actions = create_or_refresh, [action]

    def refresh_after_action(*args: Any, **options: Any) -> Any:
        if actions:
            actions.pop()()
        return original(*args, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(view_refresh, "create_or_refresh", refresh_after_action)
        yield


def elsewhere(statement: str) -> Callable[[], None]:
    """Return a callable that runs a statement in another session."""

    def run() -> None:
        with another_session() as session:
            session.execute(statement.encode())

    return run


@pytest.mark.usefixtures("checked_view")
def test_results_before_and_inside_a_refresh_are_equal(settings: Settings) -> None:
    for kind, arguments in (*CHECKS_BEFORE, *CHECKS_INSIDE):
        add_check(kind, arguments=arguments)
    with counted_queries() as checked:
        passed = refresh()["a"]
        assert (passed.outcome, set(outcomes(passed).values())) == (Outcome.HELD, {"passed", "failed"}), "one amount"
        sql("DELETE FROM reporting.source WHERE id > 700; UPDATE reporting.source SET id = 7 WHERE id < 10")
        sql("UPDATE reporting.source SET status = '?', amount = -1, at = at - interval '2 days' WHERE id IS NOT NULL")
        before = refresh()["a"]
        assert len(checked) == 2
        settings.SEEDER = {"READER_WAIT_BUDGET_MS": 1_000_000}
        inside = refresh()["a"]
    assert len(checked) == 2
    assert before.outcome is inside.outcome is Outcome.HELD
    assert outcomes(before) == outcomes(inside)
    failed = {name for name, outcome in outcomes(before).items() if outcome == "failed"}
    assert failed == {"row_count", "unique", "accepted_values", "range", "freshness"}
    ages = [dict(one.figures) | {"age_hours": None} for one in inside.checks]
    assert [dict(one.figures) | {"age_hours": None} for one in before.checks] == ages
    assert [one.samples for one in before.checks] == [one.samples for one in inside.checks]
    assert [one.check.name for one in before.checks] == [one.check.name for one in inside.checks]


@pytest.mark.usefixtures("checked_view")
def test_passed_query_is_refreshed_with_its_rows_counted() -> None:
    add_check("not_null", arguments={"column": "id"})
    sql("DELETE FROM reporting.source WHERE id > 900")
    with counted_queries() as checked:
        result = refresh()["a"]
    assert (result.outcome, result.rows, result.attempts, checked) == (Outcome.REFRESHED, 900, 1, ["reporting.a"])
    row = RunHistory.objects.latest("id")
    assert (row.status, row.records_processed, JobStatus.objects.get().status) == ("success", 900, "success")


@pytest.mark.usefixtures("checked_view")
def test_readers_wait_for_no_scan_if_only_a_query_remains(monkeypatch: pytest.MonkeyPatch) -> None:
    for kind, arguments in (CHECKS_BEFORE[1], *CHECKS_INSIDE):
        add_check(kind, arguments=arguments)
    sql("UPDATE reporting.source SET amount = 1 WHERE amount = 1000")
    scans = counted_scans(monkeypatch)
    result = refresh()["a"]
    assert (result.outcome, len(scans)) == (Outcome.REFRESHED, 1)
    assert [one.figures["rows"] for one in result.checks] == [1000, 1000]


@pytest.mark.usefixtures("checked_view")
def test_held_query_is_not_refreshed_and_blocks_no_reader() -> None:
    add_check("unique", arguments={"columns": ["status"]})
    with another_session() as reader:
        reader.execute("BEGIN; SELECT count(*) FROM reporting.a")
        assert refresh()["a"].outcome is Outcome.HELD
        assert RunHistory.objects.latest("id").status == "error"


@pytest.mark.usefixtures("checked_view")
def test_rows_that_come_after_the_checks_are_not_published() -> None:
    add_check("unique", arguments={"columns": ["id"]})
    with before_refresh(elsewhere("INSERT INTO reporting.source VALUES (1, 'open', 1, now())")):
        assert refresh()["a"].outcome is Outcome.REFRESHED
    assert sql("SELECT count(*) FROM reporting.a") == [(1000,)]
    assert refresh()["a"].outcome is Outcome.HELD


@pytest.mark.usefixtures("checked_view")
def test_locked_input_makes_checks_run_inside(monkeypatch: pytest.MonkeyPatch) -> None:
    add_check("unique", arguments={"columns": ["id"]})
    original = BatchedTransaction.begin_again

    def begin_when_a_reload_waits(self: BatchedTransaction, tables: Any) -> None:
        with another_session() as loader, ThreadPoolExecutor(1) as thread:
            loader.execute("BEGIN")
            reload = thread.submit(loader.execute, "TRUNCATE reporting.source")
            eventually(lambda: sql("SELECT 1 FROM pg_locks WHERE NOT granted AND pid = %s", loader.info.backend_pid))
            try:
                original(self, tables)
            finally:
                reload.result()
                loader.execute("INSERT INTO reporting.source VALUES (1, 'open', 1, now()); COMMIT")

    monkeypatch.setattr(BatchedTransaction, "begin_again", begin_when_a_reload_waits)
    with counted_queries() as checked:
        result = refresh()["a"]
    assert (result.outcome, result.rows, result.attempts, checked) == (Outcome.REFRESHED, 1, 1, [])


@pytest.mark.usefixtures("checked_view")
def test_view_refreshed_by_another_session_is_not_moved_backwards() -> None:
    if server_major_version() < 16:
        pytest.skip("pg_get_viewdef() locks the view, so that no other session can refresh it meanwhile")
    add_check("unique", arguments={"columns": ["id"]})
    statement = "INSERT INTO reporting.source VALUES (0, 'open', 1, now()); REFRESH MATERIALIZED VIEW reporting.a"
    with before_refresh(elsewhere(statement)):
        result = refresh()["a"]
    assert (result.outcome, result.rows) == (Outcome.REFRESHED, 1001)


@pytest.mark.usefixtures("checked_view")
def test_view_recreated_before_the_snapshot_is_checked_inside(monkeypatch: pytest.MonkeyPatch) -> None:
    add_check("unique", arguments={"columns": ["id"]})
    original = BatchedTransaction.begin_again
    recreate = elsewhere("DROP MATERIALIZED VIEW reporting.a; CREATE MATERIALIZED VIEW reporting.a AS SELECT 1 AS id")

    def begin_after_another_query(self: BatchedTransaction, tables: Any) -> None:
        recreate()
        original(self, tables)

    monkeypatch.setattr(BatchedTransaction, "begin_again", begin_after_another_query)
    with counted_queries() as checked:
        assert (refresh()["a"].rows, checked) == (1, [])


@pytest.mark.usefixtures("checked_view")
def test_status_row_that_another_run_has_queued_is_left_to_it() -> None:
    add_check("unique", arguments={"columns": ["id"]})
    queued = "UPDATE reporting.seeder_job_status SET status = 'pending', last_run_id = 'later'"
    with counted_queries() as checked, before_refresh(elsewhere(queued)):
        assert (refresh()["a"].attempts, checked) == (1, ["reporting.a"])
    assert RunHistory.objects.latest("id").status == "success"
    assert JobStatus.objects.values_list("status", "last_run_id").get() == ("pending", "later")


@pytest.mark.usefixtures("checked_view")
def test_refresh_that_lost_a_race_is_repeated_with_checks_inside() -> None:
    add_check("unique", arguments={"columns": ["id"]})
    touched = "UPDATE reporting.seeder_run_history SET updated_at = now() WHERE status = 'running'"
    with counted_queries() as checked, before_refresh(elsewhere(touched)):
        result = refresh()["a"]
    assert (result.outcome, result.attempts, checked) == (Outcome.REFRESHED, 2, ["reporting.a"])


@pytest.mark.usefixtures("checked_view")
def test_rows_closed_by_another_run_undo_the_refresh() -> None:
    add_check("unique", arguments={"columns": ["id"]})
    sql("UPDATE reporting.source SET amount = 5 WHERE id = 1")
    closed = "UPDATE reporting.seeder_run_history SET status = 'error' WHERE status = 'running'"
    with before_refresh(elsewhere(closed)), pytest.raises(RunLockLost):
        refresh()
    assert sql("SELECT amount FROM reporting.a WHERE id = 1") == [(1,)]


@pytest.mark.usefixtures("checked_view")
def test_error_of_the_query_fails_the_refresh_and_holds_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    create_view("b", "SELECT 1 / (id - 1) AS n FROM reporting.source")
    sql("UPDATE reporting.source SET id = id + 1")
    refresh()
    add_check("not_null", view="reporting.b", arguments={"column": "n"})
    add_check("row_count", view="reporting.b", arguments={"min": 1})
    sql("UPDATE reporting.source SET id = 1")
    scans = counted_scans(monkeypatch)
    with counted_queries() as checked:
        result = refresh()["b"]
    assert len(scans) == 1, "the query is not repeated for each check"
    assert result.failure is not None
    assert (result.outcome, result.failure.sqlstate, checked) == (Outcome.FAILED, "22012", ["reporting.b"])


@pytest.mark.usefixtures("checked_view")
def test_waived_query_is_published_once() -> None:
    add_check("unique", arguments={"columns": ["status"]})
    assert refresh()["a"].outcome is Outcome.HELD
    waive_checks(HeldChecks(table_name="reporting.a"), reason="known", granted_by="anna")
    assert [refresh()["a"].outcome for _ in range(2)] == [Outcome.REFRESHED, Outcome.HELD]


@pytest.mark.usefixtures("checked_view")
def test_condition_on_the_view_is_judged_by_its_new_rows() -> None:
    add_check("not_null", arguments={"column": "id"})
    add_check("condition", name="own", arguments={"expression": "amount < 1001"})
    add_check("condition", name="all", arguments={"expression": "(SELECT count(*) FROM reporting.a) > 1000"})
    sql("INSERT INTO reporting.source VALUES (1001, 'open', 1, now())")
    with counted_queries() as checked:
        result = refresh()["a"]
    assert (result.outcome, len(checked), set(outcomes(result).values())) == (Outcome.REFRESHED, 1, {"passed"})
    [planned] = orchestrator.preview(AllReports()).views
    assert planned.check_order == CheckOrder(runs_before=True, inside=("all",))
    assert str(planned.check_order).endswith("Those whose SQL can read the view run inside it: all.")


@pytest.mark.usefixtures("checked_view")
def test_role_that_cannot_read_an_input_has_its_checks_inside() -> None:
    add_check("unique", arguments={"columns": ["id"]})
    [planned] = orchestrator.preview(AllReports()).views
    assert planned.check_order == CheckOrder(runs_before=True)
    sql("CREATE ROLE unread; GRANT USAGE ON SCHEMA reporting TO unread; GRANT SELECT ON reporting.a TO unread")
    sql("SET ROLE unread")
    try:
        [order] = check_ordering.preview_orders("default", [planned], conf.load()).values()
    finally:
        sql("RESET ROLE; DROP OWNED BY unread; DROP ROLE unread")
    reason = "it reads reporting.source, on which this role lacks SELECT"
    assert order == CheckOrder(runs_before=False, reasons=(reason,))


@pytest.mark.usefixtures("checked_view")
def test_plan_says_why_checks_run_inside() -> None:
    create_view("b", "SELECT id, now() AS at FROM reporting.source LIMIT 1000")
    refresh()
    for name in ("a", "b"):
        add_check("unique", view=f"reporting.{name}", arguments={"columns": ["id"]})
    orders = {view.key.name.name: view.check_order for view in orchestrator.preview(AllReports()).views}
    assert str(orders["a"]).startswith("Its data checks run before the refresh, on the result of its query")
    reason = "it calls now(), which can depend on the time, the session or other rows and it uses LIMIT"
    assert reason in str(orders["b"])
    sql("CREATE UNIQUE INDEX ON reporting.b (id)")
    with counted_queries() as checked:
        refresh()
    assert checked == ["reporting.a"]


@pytest.mark.usefixtures("checked_view")
def test_view_that_is_refreshed_concurrently_has_no_order(settings: Settings) -> None:
    settings.SEEDER = {"REFRESH_CONCURRENTLY": True, "READER_WAIT_BUDGET_MS": 0}
    add_check("unique", arguments={"columns": ["id"]})
    assert orchestrator.preview(AllReports()).views[0].check_order is not None
    sql("CREATE UNIQUE INDEX ON reporting.a (id)")
    assert orchestrator.preview(AllReports()).views[0].check_order is None


@pytest.mark.parametrize(
    ("rows", "seconds", "runs_before"),
    [
        (200_000, 1, True),
        (200_000, 0.2, False),
        (0, 1, False),
        (10_000, 1, False),
        (200_000, 5, False),
        (2_000_000, 9, True),
        (2_000_000, 10, False),
    ],
)
def test_checks_run_before_if_readers_save_much(rows: int, seconds: float, runs_before: bool) -> None:  # noqa: FBT001
    rules = (NotNull(column="id"), Unique(columns=("id",)))
    order = choose_order(
        [DataCheck(name=str(rule), rule=rule) for rule in rules],
        (),
        rows=rows,
        last_duration=timedelta(seconds=seconds),
        between=(timedelta(seconds=0.2), timedelta(seconds=10)),
    )
    assert order.runs_before is runs_before
