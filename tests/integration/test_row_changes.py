"""Samples of the rows that a refresh changed."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db.models import F
from pytest_django import Settings

from seeder.change_sample_errors import BadSampleSize, SampleTableUnusable
from seeder.domain.outcomes import Outcome, RefreshResult
from seeder.domain.refresh_requests import AllReports, SingleView
from seeder.domain.row_changes import MAX_VALUE_CHARACTERS, RowChangeKind, RowChanges
from seeder.domain.view_names import ViewName
from seeder.models import ChangeSample, CustomReportManifest
from seeder.postgres import row_changes, sessions
from seeder.services import change_samples
from seeder.services.run import orchestrator
from seeder.services.stop_signal import StopSignal
from tests.conftest import CompletedCommand, create_custom_manifest, sql

pytestmark = pytest.mark.usefixtures("contract_tables")
MODES = pytest.mark.parametrize("concurrently", [False, True], ids=["plain", "concurrent"])


def create_view(rows: str, index: str = "CREATE UNIQUE INDEX ON reporting.a (id)") -> None:
    """Create a table with these rows, and a filled view of it."""
    sql(f"CREATE TABLE reporting.source AS {rows}")
    sql(f"CREATE MATERIALIZED VIEW reporting.a AS SELECT * FROM reporting.source; {index}")
    create_custom_manifest("reporting.a", "SELECT * FROM reporting.source")


def request_sample(max_rows: int, name: str = "a") -> None:
    view = ViewName(schema="reporting", name=name)
    change_samples.request_samples(SingleView(name=view, max_changed_rows=max_rows), requested_by="ada")


def refresh_with_sample(max_rows: int = 10) -> RefreshResult:
    request_sample(max_rows)
    [result] = orchestrator.execute_run(AllReports()).results.values()
    return result


def changes_of(result: RefreshResult) -> RowChanges:
    assert result.failure is None
    assert result.changes is not None
    return result.changes


def counts(changes: RowChanges) -> tuple[Any, ...]:
    return changes.inserted, changes.deleted, changes.updated


@MODES
def test_sample_has_old_and_new_values_by_key(settings: Settings, concurrently: bool) -> None:  # noqa: FBT001
    settings.SEEDER = {"REFRESH_CONCURRENTLY": concurrently}
    create_view(
        "SELECT i AS id, 'r' || i AS \"Name %s\", i::numeric AS amount, NULL::text AS note, '{}'::json AS facts"
        " FROM generate_series(1, 1000) AS i"
    )
    sql("UPDATE reporting.source SET amount = 1.00, note = repeat('x', 500) WHERE id = 1")
    sql('UPDATE reporting.source SET "Name %s" = NULL WHERE id = 2')
    sql("DELETE FROM reporting.source WHERE id > 998; INSERT INTO reporting.source VALUES (1001, 'new', 5)")
    result = refresh_with_sample()
    changes = changes_of(result)
    assert counts(changes) == (1, 2, 2)
    updated = sorted((row for row in changes.rows if row.kind is RowChangeKind.UPDATED), key=lambda row: str(row.key))
    assert (updated[0].key, updated[0].old) == ({"id": "1"}, {"amount": "1", "note": None})
    assert updated[0].new == {"amount": "1.00", "note": "x" * MAX_VALUE_CHARACTERS + "…"}
    assert (updated[1].old, updated[1].new) == ({"Name %s": "r2"}, {"Name %s": None})
    [inserted] = (row for row in changes.rows if row.kind is RowChangeKind.INSERTED)
    assert (inserted.key, inserted.old) == ({"id": "1001"}, {})
    assert inserted.new == {"Name %s": "new", "amount": "5", "note": None, "facts": None}
    deleted = [row for row in changes.rows if row.kind is RowChangeKind.DELETED]
    assert [row.key["id"] for row in deleted] in (["999", "1000"], ["1000", "999"])
    assert (deleted[0].new, deleted[0].old["note"]) == ({}, None)
    assert (result.mode, result.rows) == ("concurrent" if concurrently else "plain", 999)
    row = ChangeSample.objects.get(history__table_name="reporting.a", history__run_id=F("run_id"))
    assert (row.requested_by, row.max_rows) == ("ada", 10)
    assert (row.rows_inserted, row.rows_deleted, row.rows_updated, row.note) == (1, 2, 2, None)
    assert row.rows == [one.as_stored() for one in changes.rows]
    assert sql("SELECT count(*) FROM pg_class WHERE relname LIKE 'seeder_rows_before%'") == [(0,)]


@MODES
def test_sample_is_limited_for_each_kind(settings: Settings, concurrently: bool) -> None:  # noqa: FBT001
    settings.SEEDER = {"REFRESH_CONCURRENTLY": concurrently}
    create_view("SELECT i AS id, i AS n FROM generate_series(1, 900) AS i")
    sql("DELETE FROM reporting.source WHERE id <= 300; UPDATE reporting.source SET n = 0 WHERE id <= 600")
    sql("INSERT INTO reporting.source SELECT i, i FROM generate_series(1001, 1300) AS i")
    changes = changes_of(refresh_with_sample(2))
    assert counts(changes) == (300, 300, 300)
    assert [row.kind for row in changes.rows] == [kind for kind in RowChangeKind for _ in range(2)]


@MODES
def test_rows_are_matched_by_the_operators_of_the_key(settings: Settings, concurrently: bool) -> None:  # noqa: FBT001
    """A text in another case is the same key for citext, and another value. citext is not on the search path."""
    settings.SEEDER = {"REFRESH_CONCURRENTLY": concurrently}
    sql("CREATE SCHEMA IF NOT EXISTS extensions; CREATE EXTENSION citext SCHEMA extensions")
    try:
        create_view(
            "SELECT 'Ada'::extensions.citext AS name, 1.0::numeric AS part, '2026-01-01'::date AS day, 1 AS n",
            "CREATE UNIQUE INDEX ON reporting.a (day, name, part) INCLUDE (n)",
        )
        sql("UPDATE reporting.source SET name = 'ADA', part = 1.000, n = 2")
        [row] = changes_of(refresh_with_sample()).rows
    finally:
        sql("DROP SCHEMA extensions CASCADE")
    assert (row.kind, row.key) == (RowChangeKind.UPDATED, {"name": "ADA", "part": "1.000", "day": "2026-01-01"})
    assert (row.old, row.new) == ({"name": "Ada", "part": "1.0", "n": "1"}, {"name": "ADA", "part": "1.000", "n": "2"})


@MODES
def test_rows_with_null_in_key_are_left_out(settings: Settings, concurrently: bool) -> None:  # noqa: FBT001
    settings.SEEDER = {"REFRESH_CONCURRENTLY": concurrently}
    create_view(
        "SELECT i AS id, NULLIF(i, 3) AS part, i AS n FROM generate_series(1, 5) AS i",
        "CREATE UNIQUE INDEX ON reporting.a (id, part)",
    )
    sql("UPDATE reporting.source SET n = 0 WHERE id > 2; INSERT INTO reporting.source VALUES (6, NULL, 6)")
    changes = changes_of(refresh_with_sample())
    assert counts(changes) == (0, 0, 2)
    assert changes.note == "Left out: 2 of the new rows have a null in the key (id, part)."


@pytest.mark.parametrize(
    ("setting", "index", "note"),
    [
        ({}, "", "no unique index on columns without a condition. Create one on the columns that identify a row."),
        ({}, "CREATE UNIQUE INDEX ON reporting.a (id) WHERE id > 0", "no unique index"),
        ({}, "CREATE UNIQUE INDEX ON reporting.a ((id + 1))", "no unique index"),
        ({"CHANGE_SAMPLE_MAX_MB": 1}, "CREATE UNIQUE INDEX ON reporting.a (id)", "CHANGE_SAMPLE_MAX_MB allows 1 MB"),
        ({"CHANGE_SAMPLE_TIMEOUT_MS": 1}, "CREATE UNIQUE INDEX ON reporting.a (id)", "CHANGE_SAMPLE_TIMEOUT_MS"),
    ],
)
def test_view_that_cannot_be_compared_is_refreshed(
    settings: Settings, setting: dict[str, int], index: str, note: str
) -> None:
    settings.SEEDER = setting
    create_view("SELECT i AS id, repeat('x', 100) AS t FROM generate_series(1, 20000) AS i", index)
    sql("INSERT INTO reporting.source VALUES (0, 'y')")
    result = refresh_with_sample()
    assert note in (changes_of(result).note or "")
    assert (result.outcome, result.rows, counts(changes_of(result))) == (Outcome.REFRESHED, 20001, (None,) * 3)
    assert ChangeSample.objects.get().note == changes_of(result).note


def test_request_waits_until_a_refresh_is_published() -> None:
    sql("CREATE TABLE reporting.source AS SELECT 1 AS n")
    query = "SELECT 1 / n AS id FROM reporting.source"
    sql(f"CREATE MATERIALIZED VIEW reporting.a AS {query}; CREATE UNIQUE INDEX ON reporting.a (id)")
    create_custom_manifest("reporting.a", query)
    sql("UPDATE reporting.source SET n = 0")
    assert refresh_with_sample(3).outcome is Outcome.FAILED
    assert ChangeSample.objects.get().history_id is None
    sql("UPDATE reporting.source SET n = -1")
    changes = changes_of(refresh_with_sample(2))
    assert counts(changes) == (1, 1, 0)
    assert ChangeSample.objects.get().max_rows == 3  # the larger of both requests
    [later] = orchestrator.execute_run(AllReports()).results.values()
    assert later.changes is None


def test_members_of_a_group_have_samples_of_one_transaction(settings: Settings) -> None:
    settings.SEEDER = {"CONSISTENT_GROUPS": {"both": {"views": ["reporting.a", "reporting.b"]}}}
    create_view("SELECT i AS id, i AS n FROM generate_series(1, 9) AS i")
    query = "SELECT id, n + 1 AS n FROM reporting.a"
    sql(f"CREATE MATERIALIZED VIEW reporting.b AS {query}; CREATE UNIQUE INDEX ON reporting.b (id)")
    create_custom_manifest("reporting.b", query)
    sql("UPDATE reporting.source SET n = 0 WHERE id = 4")
    for name in ("a", "b"):
        request_sample(1, name)
    summary = orchestrator.execute_run(AllReports())
    assert summary.failed == 0
    assert [row.new for one in summary.results.values() for row in changes_of(one).rows] == [{"n": "0"}, {"n": "1"}]
    assert len(set(ChangeSample.objects.values_list("history_id", flat=True))) == 2


def test_sample_of_a_view_in_another_database_is_stored(settings: Settings) -> None:
    settings.SEEDER = {"DATABASES": {1: "default", 2: "archive"}}
    sql("CREATE SCHEMA reporting; CREATE TABLE reporting.source AS SELECT 1 AS id, 'a' AS t", using="archive")
    query = "SELECT * FROM reporting.source"
    sql(f"CREATE MATERIALIZED VIEW reporting.a AS {query}; CREATE UNIQUE INDEX ON reporting.a (id)", using="archive")
    create_custom_manifest("reporting.a", query)
    CustomReportManifest.objects.update(database_id=2)
    sql("UPDATE reporting.source SET t = 'b'", using="archive")
    [row] = changes_of(refresh_with_sample()).rows
    assert (row.old, row.new) == ({"t": "a"}, {"t": "b"})
    assert ChangeSample.objects.get(history__status="success").rows == [row.as_stored()]


def test_cancelled_comparison_of_a_stopped_run_stops_the_refresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise the refresh would be published after the stop."""
    create_view("SELECT 1 AS id")
    stop = StopSignal()

    def cancel(database: str, *_: object, **__: object) -> None:
        stop.request("SIGTERM")
        sessions.query(database, "SELECT pg_cancel_backend(pg_backend_pid()), pg_sleep(5)")

    monkeypatch.setattr(row_changes, "compare_rows", cancel)
    request_sample(1)
    summary = orchestrator.execute_run(AllReports(), stop=stop)
    assert (len(summary.interrupted), dict(summary.results)) == (1, {})
    assert ChangeSample.objects.get().history_id is None


def test_created_view_has_no_sample() -> None:
    create_custom_manifest("reporting.a", "SELECT 1 AS id")
    assert "all its rows are new" in (changes_of(refresh_with_sample()).note or "")


def test_run_without_request_compares_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    create_view("SELECT 1 AS id")
    monkeypatch.delattr(row_changes, "find_matching")
    [result] = orchestrator.execute_run(AllReports()).results.values()
    assert (result.outcome, result.changes) == (Outcome.REFRESHED, None)


def test_requested_size_outside_the_limits_is_refused() -> None:
    create_view("SELECT 1 AS id")
    for size in (0, 101):
        with pytest.raises(BadSampleSize, match="from 1 to 100"):
            request_sample(size)
    sql("DROP TABLE reporting.seeder_change_sample")
    with pytest.raises(SampleTableUnusable, match=r"seeder_change_sample.*Without it no sample.*install_schema"):
        request_sample(1)


def test_command_prints_and_stores_changed_rows(manage: Callable[..., CompletedCommand]) -> None:
    create_view("SELECT i AS id, 'r' || i AS t FROM generate_series(1, 5) AS i")
    sql("UPDATE reporting.source SET t = NULL WHERE id = 1; DELETE FROM reporting.source WHERE id = 2")
    sql("INSERT INTO reporting.source VALUES (6, E'two\nlines')")
    done = manage("refresh_table", "reporting.a", "--show-changes", "3")
    assert done.exit_code == 0
    assert done.lines[-4:] == [
        "reporting.a: 1 updated, 1 inserted, 1 deleted; shown: 3 rows",
        "  ~ id='1': t 'r1' → null",
        "  + id='6': t='two\\nlines'",
        "  - id='2': t='r2'",
    ]
    [view] = manage("refresh_table", "reporting.a", "--show-changes", "3", "--json").document["views"]
    assert view["changes"] == {"inserted": 0, "deleted": 0, "updated": 0, "note": None, "rows": []}
    request_sample(3)
    sql("DELETE FROM reporting.source WHERE id = 6")
    other = manage("refresh_all", "--json")
    [view] = other.document["views"]
    assert view["changes"] == {"inserted": 0, "deleted": 1, "updated": 0, "note": None}, "rows are data"
    assert "lines" not in other.out + other.err
    assert manage("refresh_table", "reporting.a", "--show-changes", "3", "--dry-run").exit_code == 2
    assert manage("refresh_table", "reporting.a", "--show-changes", "101").err.startswith(
        "CommandError: A sample cannot"
    )
