"""The snapshot that a refresh records has exactly the transactions whose rows the view shows, even after a wait."""

import psycopg
import pytest
from pytest_django import Settings

from seeder.domain.mode_predictor import RefreshMode
from seeder.models import RunMetrics
from tests.conftest import another_session, sql
from tests.faults.gated_views import (
    create_filled_view,
    create_missing_view,
    run_in_background,
    wait_until_lock_is_queued,
)
from tests.faults.private_server import MAX_WAIT_SECONDS

pytestmark = pytest.mark.usefixtures("contract_tables")


@pytest.fixture(autouse=True)
def source(contract_tables: None) -> None:
    sql("CREATE TABLE reporting.source (n integer)")


def insert(session: "psycopg.Connection[tuple[str]]", number: int) -> str:
    """Insert a row. Return the transaction id."""
    session.execute("INSERT INTO reporting.source VALUES (%s)", [number])
    [(xid,)] = session.execute("SELECT pg_current_xact_id()::text").fetchall()
    return xid


def contains(xid: str) -> bool:
    """Return whether the recorded snapshot has a transaction."""
    snapshot = RunMetrics.objects.order_by("-history_id")[0].snapshot
    assert snapshot is not None
    [(is_visible,)] = sql("SELECT pg_visible_in_snapshot(%s::text::xid8, %s::text::pg_snapshot)", xid, snapshot)
    return bool(is_visible)


def shown() -> list[int]:
    return [number for (number,) in sql("SELECT n FROM reporting.a ORDER BY n")]


def test_load_that_the_refresh_waited_for_is_in_the_snapshot() -> None:
    create_filled_view("a")
    with another_session() as loader:
        loader.execute("BEGIN; LOCK TABLE reporting.source IN ACCESS EXCLUSIVE MODE")
        xid = insert(loader, 1)
        with run_in_background() as run:
            wait_until_lock_is_queued("reporting.source")
            loader.execute("COMMIT")
            run.result(MAX_WAIT_SECONDS)
    assert (shown(), contains(xid)) == ([1], True)


def test_load_during_the_wait_for_the_view_is_not_in_the_snapshot() -> None:
    create_filled_view("a")
    with another_session() as reader, another_session() as loader:
        reader.execute("BEGIN; SELECT FROM reporting.a")
        with run_in_background() as run:
            wait_until_lock_is_queued("reporting.a")
            loader.execute("BEGIN")
            xid = insert(loader, 1)
            loader.execute("COMMIT")
            reader.execute("COMMIT")
            run.result(MAX_WAIT_SECONDS)
    assert (shown(), contains(xid)) == ([], False)


@pytest.mark.parametrize("mode", RefreshMode)
def test_open_load_is_not_in_the_snapshot_but_a_later_committed_one_is(settings: Settings, mode: RefreshMode) -> None:
    settings.SEEDER = {"REFRESH_CONCURRENTLY": mode is RefreshMode.CONCURRENT}
    create_filled_view("a")
    sql("CREATE UNIQUE INDEX ON reporting.a (n)")
    with another_session() as first, another_session() as second:
        first.execute("BEGIN")
        open_xid = insert(first, 1)
        second.execute("BEGIN")
        committed_xid = insert(second, 2)
        second.execute("COMMIT")
        with run_in_background() as run:
            run.result(MAX_WAIT_SECONDS)
        first.execute("COMMIT")
    assert (shown(), contains(open_xid), contains(committed_xid)) == ([2], False, True)


def test_created_view_has_a_snapshot() -> None:
    create_missing_view("a")
    with another_session() as loader:
        loader.execute("BEGIN")
        xid = insert(loader, 1)
        loader.execute("COMMIT")
    with run_in_background() as run:
        run.result(MAX_WAIT_SECONDS)
    assert (shown(), contains(xid)) == ([1], True)
