"""What a load may have left at any moment, and must have left at its end."""

from data_pipeline.models import LoadEvent, LoadLog, LoadRefresh, LoadReject
from tests.conftest import sql

TABLE = "landing.orders"


def row_count() -> int:
    [(count,)] = sql(f"SELECT count(*) FROM {TABLE} WHERE load_id IS NOT NULL")
    return int(count)


def assert_nothing_without_success() -> None:
    """Assert that a load has all its rows, rejects and requests, or none of them."""
    row = LoadLog.objects.first()
    found = row_count(), LoadReject.objects.count(), LoadRefresh.objects.count()
    if row is None or row.status in {"pending", "failed"}:
        assert found == (0, 0, 0), row and row.status
    else:
        assert row.status in {"success", "skipped"}
        assert found == (row.rows_inserted, row.rows_rejected, 1)
        assert row.succeeded_at is not None
    if row is not None:
        assert_events_match(row)


def assert_events_match(row: LoadLog) -> None:
    """Assert that the audit has one event for each change of the row's status."""
    events = list(LoadEvent.objects.filter(load_id=row.pk).order_by("id").values_list("event", flat=True))
    begun = [event for event in events if event in {"claimed", "attempted"}]
    assert begun == ["claimed", *["attempted"] * (row.attempts - 1)]
    last = [event for event in events if event != "skipped"][-1]
    expected = {"pending": {"claimed", "attempted"}, "failed": {"failed", "interrupted"}}
    assert last in expected.get(row.status, {"loaded"})
    assert events.count("loaded") == (row.succeeded_at is not None)


def assert_no_locks() -> None:
    """Assert that this session holds no advisory lock and no id of a load."""
    locks = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()"
    assert sql(f"SELECT ({locks}), coalesce(current_setting('data_pipeline.load_id', true), '')") == [(0, "")]
