"""Release snapshots of a view that another transaction drops and creates again."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from django.db import connections

from seeder.domain.snapshots.snapshot_contents import Snapshot
from seeder.errors import CaptureFailed, ViewMissing
from seeder.postgres import shared_snapshot
from seeder.services.snapshots.release_snapshots import capture_release_snapshot
from tests.conftest import another_session, create_custom_manifest, sql
from tests.faults.gated_views import wait_until_lock_is_queued
from tests.faults.private_server import MAX_WAIT_SECONDS

pytestmark = pytest.mark.usefixtures("contract_tables")

CREATE = "CREATE MATERIALIZED VIEW reporting.a AS SELECT n, n::text AS word FROM generate_series(1, 12) AS n"


@contextmanager
def capture_in_background(*, approximate: bool) -> "Iterator[Future[Snapshot]]":
    def capture() -> Snapshot:
        try:
            return capture_release_snapshot("reporting.a", "v1", approximate=approximate)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(max_workers=1) as executor:
        yield executor.submit(capture)


def capture_during(*statements: str, approximate: bool = False) -> Snapshot:
    """Capture the view while another transaction has executed statements. It commits when the capture waits for it."""
    sql("CREATE MATERIALIZED VIEW reporting.a AS SELECT 1 AS n")
    sql("ANALYZE reporting.a")
    create_custom_manifest("reporting.a", "SELECT 1 AS n")
    with another_session() as other, other.transaction():
        other.execute("; ".join(statements).encode())
        with capture_in_background(approximate=approximate) as capture:
            wait_until_lock_is_queued("reporting.a")
            other.execute("COMMIT; BEGIN")
            return capture.result(MAX_WAIT_SECONDS)


def test_snapshot_has_the_rows_of_the_view_that_replaced_another() -> None:
    found = capture_during("DROP MATERIALIZED VIEW reporting.a", CREATE)
    assert (found.statistics.row_count, [column.name for column in found.columns]) == (12, ["n", "word"])
    assert (found.statistics.columns["n"].minimum, found.statistics.columns["n"].maximum) == ("1", "12")


def test_snapshot_has_the_rows_of_a_view_that_was_renamed_to_the_name() -> None:
    found = capture_during(
        "ALTER MATERIALIZED VIEW reporting.a RENAME TO old",
        CREATE.replace("reporting.a", "reporting.b"),
        "ALTER MATERIALIZED VIEW reporting.b RENAME TO a",
    )
    assert (found.statistics.row_count, len(found.columns)) == (12, 2)


def test_view_replaced_again_and_again_is_not_captured(monkeypatch: pytest.MonkeyPatch) -> None:
    def replace(*_: object) -> None:
        raise shared_snapshot.ViewReplaced

    monkeypatch.setattr(shared_snapshot, "lock_and_export", replace)
    sql(CREATE)
    create_custom_manifest("reporting.a", "SELECT 1 AS n")
    with pytest.raises(CaptureFailed, match="dropped and created again during 5 attempts"):
        capture_release_snapshot("reporting.a", "v1")


def test_view_dropped_during_a_capture_is_an_error() -> None:
    with pytest.raises((CaptureFailed, ViewMissing)):
        capture_during("DROP MATERIALIZED VIEW reporting.a")
