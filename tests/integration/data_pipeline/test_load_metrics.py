"""The metrics of loads: counters that survive their processes and pruned loads, and the current state."""

from contextlib import suppress

import pytest
from django.db import transaction
from prometheus_client.core import CollectorRegistry, Metric
from prometheus_client.openmetrics.exposition import generate_latest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from data_pipeline import (
    compute_idempotency_key,
    process_once,
    record_etl_batch,
    record_etl_normalizing,
    record_etl_retry,
    record_etl_run,
    record_etl_skip,
)
from data_pipeline.domain.load_counts import LoadCounts
from data_pipeline.domain.normalizing import NormalizeReason
from data_pipeline.postgres import load_totals
from data_pipeline.postgres.statements import STATEMENTS
from data_pipeline.probes.prometheus_collector import build_metrics, collect_metrics
from data_pipeline.services.reject_listing import dismiss_load
from seeder.postgres import sessions
from tests.conftest import another_session, sql
from tests.integration.data_pipeline.metric_samples import end_of_hour, samples

pytestmark = pytest.mark.usefixtures("load_tables")


def load(name: str, *, fail: bool = False, records: int | None = 5) -> None:
    key = compute_idempotency_key(payload=name.encode())
    with process_once(source="files", payload_meta={}, idempotency_key=key) as handle:
        if handle is not None and records is not None:
            handle.add_counts(LoadCounts(rows_in=records, rows_inserted=records))
        if fail:
            raise OSError


def test_loads_are_counted_by_source_and_status() -> None:
    load("a")
    load("a")
    with suppress(OSError):
        load("b", fail=True)
    found = samples()
    runs = {key[1:]: value for key, value in found.items() if key[0] == "etl_runs_total"}
    assert runs == {("files", "success"): 1, ("files", "skipped"): 1, ("files", "failed"): 1}
    assert (found["task_runs_total", "success"], found["task_runs_total", "error"]) == (1, 1)
    assert found["etl_processed_records_total", "files"] == 5
    assert found["etl_duration_seconds_count", "files"] == found["etl_duration_seconds_bucket", "files", "+Inf"] == 2


def test_repeated_failure_counts_each_attempt() -> None:
    for _ in range(3):
        with suppress(OSError):
            load("b", fail=True)
    load("b")
    found = samples()
    assert (found["etl_runs_total", "files", "failed"], found["etl_runs_total", "files", "success"]) == (3, 1)
    assert ("data_pipeline_open_loads", "files", "failed") not in found


def test_counters_are_equal_after_events_are_folded_and_loads_pruned() -> None:
    load("a")
    load("b")
    before = samples()
    end_of_hour()
    samples()
    sql("DELETE FROM load_log")
    assert sql("SELECT value FROM load_total WHERE metric = 'folded_events'") == [(4.0,)]
    assert samples() == before
    load("c")
    assert samples()["etl_runs_total", "files", "success"] == 3


def test_events_of_last_hour_are_not_folded() -> None:
    load("a")
    samples()
    assert sql("SELECT count(*) FROM load_total") == [(0,)]


def test_events_are_folded_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load_totals, "MAX_EVENTS", 2)
    for name in "abc":
        load(name)
    end_of_hour()
    assert [samples()["etl_runs_total", "files", "success"] for _ in range(3)] == [2, 3, 3]


def test_two_scrapes_at_once_fold_once() -> None:
    load("a")
    end_of_hour()
    with another_session() as other, other.transaction():
        assert other.execute(
            "SELECT pg_try_advisory_xact_lock(hashtextextended('data_pipeline.load_total', 0))"
        ).fetchone()
        assert samples()["etl_runs_total", "files", "success"] == 1
        assert sql("SELECT count(*) FROM load_total") == [(0,)]


def test_run_without_load_is_counted_with_its_duration() -> None:
    with record_etl_run("api"):
        record_etl_batch("api", processed=2)
        record_etl_batch("api", processed=3)
        record_etl_retry("api", reason="http_503")
        record_etl_retry("api", reason="Ünusual reason")
    found = samples()
    assert found["etl_runs_total", "api", "success"] == found["etl_duration_seconds_count", "api"] == 1
    assert found["etl_processed_records_total", "api"] == 5
    assert (found["etl_retry_total", "api", "http_503"], found["etl_retry_total", "api", "other"]) == (1, 1)


def test_run_that_raises_is_an_error() -> None:
    with suppress(KeyError), record_etl_run("api"):
        raise KeyError
    assert (samples()["etl_runs_total", "api", "failed"], samples()["task_runs_total", "error"]) == (1, 1)


def test_run_around_loads_is_counted_by_them() -> None:
    with record_etl_run("files"):
        load("a")
        record_etl_retry("files", reason="busy")
    found = samples()
    assert (found["etl_runs_total", "files", "success"], found["etl_retry_total", "files", "busy"]) == (1, 1)


def test_run_that_fails_after_its_load_counts_both() -> None:
    with suppress(KeyError), record_etl_run("files"):
        load("a")
        raise KeyError
    found = samples()
    assert (found["etl_runs_total", "files", "success"], found["etl_runs_total", "files", "failed"]) == (1, 1)


def test_run_around_failed_load_counts_one_failure() -> None:
    with suppress(OSError), record_etl_run("files"):
        load("a", fail=True)
    assert samples()["etl_runs_total", "files", "failed"] == 1


def test_skip_counts_current_run_or_a_run_of_its_own() -> None:
    with record_etl_run("api"):
        record_etl_skip("api")
    record_etl_skip("api")
    assert samples()["etl_runs_total", "api", "skipped"] == 2
    assert ("etl_runs_total", "api", "success") not in samples()


def test_retry_of_failed_load_is_kept() -> None:
    key = compute_idempotency_key(payload=b"x")
    with suppress(OSError), process_once(source="files", payload_meta={}, idempotency_key=key):
        record_etl_retry("files", reason="timeout")
        raise OSError
    assert samples()["etl_retry_total", "files", "timeout"] == 1


def test_retry_in_transaction_is_saved_at_its_commit() -> None:
    with transaction.atomic():
        record_etl_retry("files", reason="timeout")
        assert sql("SELECT count(*) FROM load_event") == [(0,)]
    assert samples()["etl_retry_total", "files", "timeout"] == 1


def test_normalizing_is_counted_by_reason() -> None:
    record_etl_normalizing("prices", rows=10, errors={NormalizeReason.NO_SUCH_DATE: 2})
    found = samples()
    assert found["etl_row_normalized_total", "prices"] == 10
    assert found["etl_normalize_errors_total", "prices", "no_such_date"] == 2


def test_normalizing_of_a_load_is_counted_by_its_source() -> None:
    key = compute_idempotency_key(payload=b"x")
    with process_once(source="files", payload_meta={}, idempotency_key=key) as handle:
        assert handle is not None
        handle.update_meta(rows_normalized=4, normalize_errors={"empty": 1})
    found = samples()
    assert found["etl_row_normalized_total", "files"] == 4
    assert found["etl_normalize_errors_total", "files", "empty"] == 1


def test_refused_values_of_failed_load_are_counted() -> None:
    key = compute_idempotency_key(payload=b"x")
    with suppress(OSError), process_once(source="files", payload_meta={}, idempotency_key=key) as handle:
        assert handle is not None
        handle.update_meta(normalize_errors={"no_such_date": 7})
        raise OSError
    assert samples()["etl_normalize_errors_total", "files", "no_such_date"] == 7


def test_pending_load_without_its_lock_is_stuck() -> None:
    key = compute_idempotency_key(payload=b"x")
    with process_once(source="files", payload_meta={}, idempotency_key=key):
        sql("SELECT 1")
        assert samples()["data_pipeline_open_loads", "files", "running"] == 1
    sql("UPDATE load_log SET status = 'pending'")
    found = samples()
    assert (
        found["data_pipeline_open_loads", "files", "running"],
        found["data_pipeline_open_loads", "files", "stuck"],
    ) == (
        0,
        1,
    )


def test_state_has_failures_refreshes_and_rejects() -> None:
    with suppress(OSError):
        load("a", fail=True)
    sql("INSERT INTO load_refresh (load_id, relations) VALUES (1, '[]')")
    sql("INSERT INTO load_reject (load_id, line_no, record_no, problems, raw) VALUES (1, 1, 1, '[]', 'x')")
    found = samples()
    [(failed_at, requested_at)] = sql(
        "SELECT extract(epoch FROM l.updated_at)::float8, extract(epoch FROM r.created_at)::float8"
        " FROM load_log AS l, load_refresh AS r"
    )
    assert found["data_pipeline_oldest_failure_timestamp_seconds", "files"] == pytest.approx(failed_at)
    assert found["data_pipeline_oldest_undispatched_timestamp_seconds",] == pytest.approx(requested_at)
    assert (found["data_pipeline_undispatched_refreshes",], found["data_pipeline_open_rejects",]) == (1, 1)
    dismiss_load(1, actor="test")
    assert ("data_pipeline_oldest_failure_timestamp_seconds", "files") not in samples()


def test_scrape_without_tables_reports_down() -> None:
    sql("ALTER TABLE load_total RENAME TO gone")
    try:
        assert samples() == {("data_pipeline_up",): 0}
    finally:
        sql("ALTER TABLE gone RENAME TO load_total")


def test_scrape_in_openmetrics_format_can_be_parsed() -> None:
    class Collector:
        def collect(self) -> list[Metric]:
            return list(collect_metrics())

    load("a")
    registry = CollectorRegistry()
    registry.register(Collector())
    families = text_string_to_metric_families(generate_latest(registry).decode())  # type: ignore[no-untyped-call]
    types = {family.name: family.type for family in families}
    assert (types["etl_runs"], types["etl_duration_seconds"], types["data_pipeline_open_loads"]) == (
        "counter",
        "histogram",
        "gauge",
    )


def test_unreachable_database_has_only_up() -> None:
    assert [family.name for family in build_metrics(None)] == ["data_pipeline_up"]


def test_open_loads_are_found_by_their_index() -> None:
    sql(
        "INSERT INTO load_log (source, idempotency_key, status) SELECT 's', lpad(to_hex(n), 64, '0'), 'success'"
        " FROM generate_series(1, 5000) AS n"
    )
    sql("ANALYZE load_log")
    statement = STATEMENTS["open_loads"]
    [plan] = sessions.query("default", f"EXPLAIN (FORMAT JSON) {statement}", {"stuck": [], "max_rows": 10})[0]
    assert "load_log_unsettled" in str(plan)
