"""Views tell which loads they contain, by the transaction ids of the loads and the snapshots of the refreshes."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.contrib.auth.models import Permission, User
from django.db import DEFAULT_DB_ALIAS

from data_pipeline import process_once
from data_pipeline.services.load_file import load_file
from data_pipeline.services.undoing import undo_load
from seeder.domain.as_of import TableAsOf
from seeder.domain.monitoring.report_jobs import GroupBy, JobFilter, JobPageRequest
from seeder.domain.refresh_requests import AllReports
from seeder.postgres.contract import OptionalTables
from seeder.services.read_models import job_list, view_as_of
from seeder.services.run.orchestrator import execute_run
from tests.conftest import CompletedCommand, another_session, create_custom_manifest, sql
from tests.integration.admin.admin_clients import client_with, get_page

pytestmark = pytest.mark.usefixtures("load_tables", "empty_queue")
Manage = Callable[..., CompletedCommand]


@pytest.fixture(autouse=True)
def orders(load_tables: None, empty_queue: None) -> None:
    sql("CREATE TABLE landing.orders (n integer)")


def load(number: int, *, table: str = "orders", concurrent: Callable[[], object] = lambda: None) -> int:
    """Load a row. Run `concurrent` before the commit."""
    with process_once(source="test", payload_meta={}, idempotency_key=f"{number:064x}") as handle:
        assert handle is not None
        sql(f"INSERT INTO landing.{table} VALUES (%s)", number)
        handle.target = f"landing.{table}"
        handle.changed_relations = [("landing", table)]
        concurrent()
    return int(handle.load_id)


def refresh() -> None:
    assert not execute_run(AllReports()).failed


def as_of(name: str = "a") -> list[TableAsOf]:
    jobs = job_list.job_page(JobFilter(), JobPageRequest(limit=None), group_by=GroupBy.VIEW).jobs
    return list(
        view_as_of.loads_in_views(jobs, OptionalTables.read(DEFAULT_DB_ALIAS, read_only=True)).get(
            f"reporting.{name}", ()
        )
    )


def facts(name: str = "a") -> list[tuple[int | None, int]]:
    """Return the newest contained load and the number of newer ones, for each table."""
    assert not any(one.by_times for one in as_of(name))
    return [(one.load_id, one.newer_loads) for one in as_of(name)]


def test_view_contains_the_loads_before_its_refresh_and_no_later_one() -> None:
    create_custom_manifest("reporting.a", "SELECT n FROM landing.orders")
    first = load(1)
    refresh()
    assert facts() == [(first, 0)]
    load(2)
    third = load(3)
    assert facts() == [(first, 2)]
    refresh()
    assert facts() == [(third, 0)]


def test_load_that_begins_first_and_commits_last_is_not_contained() -> None:
    """Ids and times of its row are older than the refresh, but its transaction is not visible to it."""
    create_custom_manifest("reporting.a", "SELECT n FROM landing.orders")
    refresh()
    with another_session() as session:
        session.execute("BEGIN; INSERT INTO landing.orders VALUES (1)")
        session.execute(
            "INSERT INTO load_log (source, idempotency_key, status, target, xid, succeeded_at)"
            " VALUES ('test', repeat('0', 64), 'success', 'landing.orders', pg_current_xact_id(), clock_timestamp())"
        )
        second = load(2)
        refresh()
        assert facts() == [(second, 0)]
        session.execute("COMMIT")
    assert sql("SELECT n FROM reporting.a") == [(2,)]
    assert facts() == [(second, 1)]
    refresh()
    assert facts() == [(second, 0)]


def test_load_that_changed_no_row_is_not_newer() -> None:
    create_custom_manifest("reporting.a", "SELECT n FROM landing.orders")
    first = load(1)
    refresh()
    unchanged = load(2)
    sql("UPDATE load_log SET rows_inserted = 0, rows_updated = 0, rows_deleted = 0 WHERE id = %s", unchanged)
    assert facts() == [(first, 0)]


def test_each_table_behind_a_view_has_its_own_load() -> None:
    sql("CREATE TABLE landing.prices (n integer)")
    sql("CREATE VIEW landing.both AS TABLE landing.orders UNION TABLE landing.prices")
    create_custom_manifest("reporting.a", "SELECT n FROM landing.both")
    orders, prices = load(1), load(2, table="prices")
    refresh()
    later = load(3, table="prices")
    assert [(one.table, one.load_id, one.newer_loads) for one in as_of()] == [
        ("landing.orders", orders, 0),
        ("landing.prices", prices, 1),
    ]
    assert later > prices


def test_view_of_a_view_contains_what_that_view_contained() -> None:
    create_custom_manifest("reporting.a", "SELECT n FROM landing.orders")
    manifest = create_custom_manifest("reporting.b", "SELECT n FROM reporting.a")
    first = load(1)
    refresh()
    manifest.enabled = False
    manifest.save()
    second = load(2)
    refresh()
    manifest.enabled = True
    manifest.save()
    assert (facts("a"), facts("b")) == ([(second, 0)], [(first, 1)])


def test_load_of_a_partition_is_one_of_its_parent() -> None:
    sql("CREATE TABLE landing.whole (n integer) PARTITION BY LIST (n)")
    sql("CREATE TABLE landing.part PARTITION OF landing.whole FOR VALUES IN (1, 2)")
    create_custom_manifest("reporting.a", "SELECT n FROM landing.whole")
    first = load(1, table="part")
    refresh()
    assert [(one.table, one.load_id) for one in as_of()] == [("landing.part", first)]


def test_undone_load_is_a_newer_change_until_the_next_refresh(tmp_path: Path) -> None:
    create_custom_manifest("reporting.a", "SELECT n FROM landing.orders")
    sql(
        "ALTER TABLE landing.orders"
        " ADD load_id bigint DEFAULT nullif(current_setting('data_pipeline.load_id', true), '')::bigint"
    )
    first = load(1)
    path = tmp_path / "orders.csv"
    path.write_text("n\n2\n")
    loaded = load_file(str(path), table="landing.orders")
    refresh()
    assert facts() == [(loaded.load_id, 0)]
    undo_load(loaded.load_id, actor="test")
    assert facts() == [(first, 1)]
    refresh()
    assert facts() == [(first, 0)]


def test_restored_transaction_ids_are_replaced_by_times() -> None:
    """A dump has the ids of another cluster. Its next one was higher than that of this cluster."""
    create_custom_manifest("reporting.a", "SELECT n FROM landing.orders")
    first = load(1)
    refresh()
    sql("UPDATE load_log SET xid = '900000000000'")
    sql("UPDATE reporting.seeder_run_metrics SET snapshot = '900000000001:900000000001:'")
    assert [(one.load_id, one.newer_loads, one.by_times) for one in as_of()] == [(first, 0, True)]
    second = load(2)
    assert [(one.load_id, one.newer_loads, one.by_times) for one in as_of()] == [(first, 1, True)]
    refresh()
    assert [(one.load_id, one.newer_loads, one.by_times) for one in as_of()] == [(second, 0, False)]


def test_restored_ids_that_this_cluster_has_passed_are_replaced_by_times() -> None:
    """The ids look plausible, but contradict the times by more than a commit can take."""
    create_custom_manifest("reporting.a", "SELECT n FROM landing.orders")
    first = load(1)
    refresh()
    sql("UPDATE load_log SET succeeded_at = succeeded_at - interval '1 day'")
    sql("UPDATE reporting.seeder_run_metrics SET snapshot = '3:3:'")
    assert [one.load_id for one in as_of()] == [first]
    sql("UPDATE reporting.seeder_run_history SET start_time = start_time - interval '2 days', finish_time = start_time")
    sql("UPDATE reporting.seeder_run_metrics SET snapshot = pg_current_snapshot()::text")
    assert [(one.load_id, one.newer_loads) for one in as_of()] == [(None, 1)]


@pytest.mark.parametrize("change", ["DROP TABLE {}", "ALTER TABLE {} DROP COLUMN snapshot"])
def test_view_without_recorded_snapshot_is_compared_by_times(change: str) -> None:
    create_custom_manifest("reporting.a", "SELECT n FROM landing.orders")
    first = load(1)
    sql(change.format("reporting.seeder_run_metrics"))
    refresh()
    load(2)
    assert [(one.load_id, one.newer_loads, one.by_times) for one in as_of()] == [(first, 1, True)]


def test_views_without_loads_have_none() -> None:
    create_custom_manifest("reporting.a", "SELECT n FROM landing.orders")
    create_custom_manifest("reporting.missing", "SELECT n FROM landing.nowhere")
    create_custom_manifest("reporting.constant", "SELECT 1 AS n")
    execute_run(AllReports())
    assert as_of() == as_of("missing") == as_of("constant") == []


def test_status_command_and_page_show_the_loads(manage: Manage) -> None:
    create_custom_manifest("reporting.a", "SELECT n FROM landing.orders")
    first = load(1)
    refresh()
    load(2)
    text = f"load {first} of landing.orders, 1 newer load"
    assert f"; as of {text};" in manage("refresh_status").out
    [job] = manage("refresh_status", "--json").document["jobs"]
    assert (job["asOf"][0]["loadId"], job["asOf"][0]["newerLoads"]) == (first, 1)
    page = get_page(client_with("view_jobstatus"), "monitoring/view/", table="reporting.a")
    assert text in page
    assert f"load {first}, " in page  # of the table, in the lineage
    url = f"/admin/data_pipeline/loadlog/{first}/change/"
    assert url not in page
    reader = client_with("view_jobstatus", name="reader")
    User.objects.get(username="reader").user_permissions.add(Permission.objects.get(codename="view_loadlog"))
    assert get_page(reader, "monitoring/view/", table="reporting.a").count(f'href="{url}"') == 2
