"""A load dispatches the refresh of exactly the views that depend on its table, once, and after the commit only."""

import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from django.db import connection
from django.test import override_settings

from data_pipeline import process_once, tasks
from data_pipeline.domain.refresh_dispatches import RefreshOutcome
from data_pipeline.models import LoadRefresh
from data_pipeline.services.dependent_refreshes import dispatch_refreshes, rescue_refreshes
from data_pipeline.services.load_file import load_file
from data_pipeline.services.load_options import Loaded
from seeder.domain.refresh_requests import AllReports
from seeder.models import QueuedRefresh, Run
from seeder.services.queue import rescue
from seeder.services.run.orchestrator import execute_run
from tests.conftest import CompletedCommand, create_custom_manifest, sql

pytestmark = pytest.mark.usefixtures("load_tables", "empty_queue")
Manage = Callable[..., CompletedCommand]


@pytest.fixture(autouse=True)
def views(load_tables: None, empty_queue: None) -> None:
    """Two tables, a view of each, and a view of the first view."""
    sql(
        "CREATE TABLE landing.orders (id integer PRIMARY KEY, amount integer); CREATE TABLE landing.prices (id integer)"
    )
    create_custom_manifest("reporting.totals", "SELECT sum(amount) AS total FROM landing.orders")
    create_custom_manifest("reporting.doubled", "SELECT 2 * total AS total FROM reporting.totals")
    create_custom_manifest("reporting.prices", "SELECT id FROM landing.prices")
    execute_run(AllReports())


def load(
    folder: Path, text: str = "id,amount\n1,5\n", *, table: str = "landing.orders", mode: str | None = None
) -> Loaded:
    path = folder / f"{len(list(folder.iterdir()))}.csv"
    path.write_text(text)
    return load_file(str(path), table=table, mode=mode)


def request_refresh(number: int, table: str = "orders", *, seconds_ago: int = 0) -> int:
    """Commit a load that requests a refresh, as a process that is killed right after the commit leaves it."""
    key = f"{number:064x}"
    [(load_id,)] = sql(
        "INSERT INTO load_log (source, idempotency_key, status) VALUES ('test', %s, 'success') RETURNING id", key
    )
    sql(
        "INSERT INTO load_refresh (load_id, relations, created_at)"
        " VALUES (%s, %s, clock_timestamp() - %s * interval '1 second')",
        load_id,
        f'[["landing", "{table}"]]',
        seconds_ago,
    )
    return int(load_id)


def test_load_queues_exactly_the_dependent_views(tmp_path: Path) -> None:
    loaded = load(tmp_path)
    assert loaded.refresh is not None
    assert (loaded.refresh.outcome, list(loaded.refresh.views)) == (
        RefreshOutcome.QUEUED,
        ["reporting.doubled", "reporting.totals"],
    )
    [row], [part] = LoadRefresh.objects.all(), QueuedRefresh.objects.all()
    assert (row.load_id, row.request_id, row.views) == (loaded.load_id, part.request_id, list(loaded.refresh.views))
    assert row.dispatched_at is not None
    assert part.requested_by == f"load {loaded.load_id}"


def test_load_of_a_table_without_views_queues_nothing(tmp_path: Path) -> None:
    sql("CREATE TABLE landing.alone (id integer)")
    loaded = load(tmp_path, "id\n1\n", table="landing.alone")
    assert loaded.refresh is not None
    assert loaded.refresh.outcome is RefreshOutcome.UNNEEDED
    assert not QueuedRefresh.objects.exists()
    assert LoadRefresh.objects.get().dispatched_at is not None


def test_upsert_of_an_unchanged_file_requests_nothing(tmp_path: Path) -> None:
    load(tmp_path, mode="upsert")
    again = load(tmp_path, mode="upsert")
    assert (again.counts.rows_unchanged, again.refresh) == (1, None)
    assert LoadRefresh.objects.count() == 1


def test_skipped_load_requests_nothing(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_text("id,amount\n1,5\n")
    load_file(str(path), table="landing.orders")
    assert load_file(str(path), table="landing.orders").refresh is None
    assert LoadRefresh.objects.count() == 1


def test_process_once_queues_the_views_of_changed_relations() -> None:
    with process_once(source="test", payload_meta={}, idempotency_key="a" * 64) as handle:
        assert handle is not None
        handle.changed_relations = [("landing", "prices")]
    assert handle.refresh is not None
    assert handle.refresh.views == ["reporting.prices"]


def test_switched_off_refresh_dispatches_nothing(tmp_path: Path) -> None:
    with override_settings(DATA_PIPELINE={"REFRESH_AFTER_LOAD": False}):
        loaded = load(tmp_path)
    assert loaded.refresh is not None
    assert loaded.refresh.outcome is RefreshOutcome.DISABLED
    assert not QueuedRefresh.objects.exists()
    assert LoadRefresh.objects.get().dispatched_at is None


def test_load_without_seeder_dispatches_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("data_pipeline.services.dependent_refreshes.apps.is_installed", lambda _: False)
    loaded = load(tmp_path)
    assert loaded.refresh is not None
    assert loaded.refresh.outcome is RefreshOutcome.SEEDER_MISSING
    assert LoadRefresh.objects.get().dispatched_at is None


def test_load_without_queue_refreshes_in_its_own_process(tmp_path: Path) -> None:
    sql("DROP TABLE reporting.seeder_queued_refresh")
    loaded = load(tmp_path)
    assert loaded.refresh is not None
    assert loaded.refresh.outcome is RefreshOutcome.REFRESHED
    assert sql("SELECT (SELECT total FROM reporting.totals), (SELECT total FROM reporting.doubled)") == [(5, 10)]
    assert LoadRefresh.objects.get().views == ["reporting.doubled", "reporting.totals"]
    assert Run.objects.order_by("-started_at")[0].requested_by == f"load {loaded.load_id}"


def test_load_succeeds_although_its_refresh_cannot_be_queued(tmp_path: Path) -> None:
    with override_settings(SEEDER={"DATABASES": {1: "nowhere"}}):
        loaded = load(tmp_path)
    assert loaded.refresh is not None
    assert loaded.refresh.outcome is RefreshOutcome.UNDISPATCHED
    assert "nowhere" in (loaded.refresh.problem or "")
    assert LoadRefresh.objects.get().dispatched_at is None
    later = load(tmp_path, "id,amount\n2,5\n")
    assert later.refresh is not None
    assert later.refresh.outcome is RefreshOutcome.QUEUED
    assert [list(one.load_ids) for one in dispatch_refreshes()] == [[loaded.load_id]]


def test_refresh_of_a_killed_load_is_queued_by_the_next_load(tmp_path: Path) -> None:
    killed = request_refresh(1, "prices", seconds_ago=6)
    load(tmp_path)
    assert LoadRefresh.objects.get(load_id=killed).views == ["reporting.prices"]
    assert {part.requested_by for part in QueuedRefresh.objects.all()} >= {f"load {killed}"}


def test_refresh_of_a_killed_load_is_queued_by_a_rescue() -> None:
    killed = request_refresh(1, seconds_ago=6)
    assert list(rescue.rescue_all()) == [f"queued the refreshes after load {killed}"]
    assert QueuedRefresh.objects.get().requested_by == f"load {killed}"
    assert str(rescue_refreshes()) == ""


@pytest.mark.parametrize("task", [tasks.resume_loads, tasks.refresh_roi_mvs])
def test_task_queues_the_refreshes_of_killed_loads(task: Callable[[], dict[str, object]]) -> None:
    request_refresh(1)
    document = task()
    assert document["refreshes"] == [
        {
            "outcome": "queued",
            "requestId": QueuedRefresh.objects.get().request_id,
            "views": ["reporting.doubled", "reporting.totals"],
            "undetermined": [],
            "failures": {},
            "problem": None,
        }
    ]
    assert task() == {"requests": [], "refreshes": []}


def test_dispatch_killed_before_its_answer_is_not_queued_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """The request is committed, but the outbox does not know it."""
    request_refresh(1)

    def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("data_pipeline.postgres.refresh_outbox.mark_dispatched", die)
        with pytest.raises(KeyboardInterrupt):
            dispatch_refreshes()
    sql("UPDATE load_refresh SET claimed_at = claimed_at - interval '61 seconds'")
    first = QueuedRefresh.objects.get()
    sql("UPDATE reporting.seeder_queued_refresh SET state = 'ended'")  # so that it cannot be joined
    [dispatch] = dispatch_refreshes()
    assert dispatch.request_id == first.request_id
    assert QueuedRefresh.objects.count() == 1


def test_added_load_of_a_burst_is_never_answered_by_an_older_request(monkeypatch: pytest.MonkeyPatch) -> None:
    request_refresh(1)
    with monkeypatch.context() as patch:
        patch.setattr("data_pipeline.postgres.refresh_outbox.mark_dispatched", lambda *_, **__: None)
        dispatch_refreshes()
    sql("UPDATE reporting.seeder_queued_refresh SET state = 'ended'")
    sql("UPDATE load_refresh SET claimed_at = claimed_at - interval '61 seconds'")
    request_refresh(2)
    [dispatch] = dispatch_refreshes()
    assert dispatch.request_id == QueuedRefresh.objects.get(state="queued").request_id


def test_loads_of_one_table_share_a_request_and_others_do_not() -> None:
    first, other, second = request_refresh(1), request_refresh(2, "prices"), request_refresh(3)
    assert [list(one.load_ids) for one in dispatch_refreshes()] == [[first, second], [other]]
    assert {part.requested_by for part in QueuedRefresh.objects.all()} == {
        f"load {first} and 1 other load",
        f"load {other}",
    }


def test_claim_of_a_killed_dispatcher_is_taken_over_after_a_minute() -> None:
    load_id = request_refresh(1)
    sql("UPDATE load_refresh SET claimed_at = clock_timestamp() - interval '59 seconds'")
    assert dispatch_refreshes() == []
    sql("UPDATE load_refresh SET claimed_at = clock_timestamp() - interval '61 seconds'")
    assert [one.load_ids for one in dispatch_refreshes()] == [[load_id]]


def test_rescue_leaves_the_request_of_a_load_that_just_committed() -> None:
    request_refresh(1)
    assert str(rescue_refreshes()) == ""
    sql("UPDATE load_refresh SET created_at = created_at - interval '6 seconds'")
    assert str(rescue_refreshes()) == "queued the refreshes after load 1"


def test_concurrent_dispatchers_queue_each_load_once() -> None:
    loads = [request_refresh(number) for number in range(8)]
    found: list[int] = []

    def dispatch() -> None:
        with closing(connection):
            found.extend(load_id for one in dispatch_refreshes() for load_id in one.load_ids)

    threads = [threading.Thread(target=dispatch) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == loads


def test_command_says_which_views_it_queued(tmp_path: Path, manage: Manage) -> None:
    sql("CREATE FUNCTION landing.opaque() RETURNS bigint LANGUAGE sql AS 'SELECT sum(amount) FROM landing.orders'")
    create_custom_manifest("reporting.opaque", "SELECT landing.opaque() AS n")
    execute_run(AllReports())
    path = tmp_path / "orders.csv"
    path.write_text("id,amount\n1,5\n")
    done = manage("load_file", str(path), "--table", "landing.orders")
    request = QueuedRefresh.objects.get().request_id
    assert done.exit_code == 0
    assert done.lines[-2] == (
        f"landing.orders: queued a refresh of 2 views: reporting.doubled, reporting.totals (request {request})"
    )
    assert done.lines[-1] == (
        "landing.orders: not refreshed, because they may depend on it through functions with text bodies:"
        " reporting.opaque. Declare what they read in a line of the query: -- depends_on: landing.orders"
    )
    document = manage("load_file", str(path), "--table", "landing.orders", "--json", "--force", "--mode", "upsert")
    assert document.document["loads"][0]["refresh"] is None


def test_command_without_queue_refreshes_once_after_all_files(tmp_path: Path, manage: Manage) -> None:
    sql("DROP TABLE reporting.seeder_queued_refresh")
    runs = Run.objects.count()
    for number in (1, 2):
        (tmp_path / f"{number}.csv").write_text(f"id,amount\n{number},5\n")
    done = manage("load_file", str(tmp_path / "1.csv"), str(tmp_path / "2.csv"), "--table", "landing.orders")
    assert done.lines[-1] == "landing.orders: refreshed 2 views: reporting.doubled, reporting.totals"
    assert sql("SELECT total FROM reporting.totals") == [(10,)]
    assert Run.objects.count() == runs + 1


def test_command_without_queue_fails_if_a_view_fails(tmp_path: Path, manage: Manage) -> None:
    sql("DROP TABLE reporting.seeder_queued_refresh")
    create_custom_manifest("reporting.ratio", "SELECT 1 / amount AS n FROM landing.orders")
    execute_run(AllReports())
    path = tmp_path / "orders.csv"
    path.write_text("id,amount\n1,0\n")
    done = manage("load_file", str(path), "--table", "landing.orders", "--json")
    assert done.exit_code == 1
    assert done.document["loads"][0]["refresh"]["failures"] == {"reporting.ratio": "division by zero"}
    assert sql("SELECT count(*) FROM landing.orders") == [(1,)]
