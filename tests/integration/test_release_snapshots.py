"""Release snapshots: captured from one database snapshot, stored once, never changed."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import Error, connections
from pytest_django import Settings

from seeder.domain.snapshots.drift_rules import DifferenceKind, Severity
from seeder.domain.snapshots.snapshot_contents import Release, Snapshot
from seeder.errors import (
    DifferentViews,
    SnapshotTaken,
    UnknownSnapshot,
)
from seeder.models import ReleaseSnapshot
from seeder.services.snapshots.release_snapshots import (
    capture_release_snapshot,
    find_by_tag,
    find_snapshot,
    list_release_snapshots_by_table,
)
from tests.conftest import create_custom_manifest, sql
from tests.integration.captured_views import compare, create_view_with_manifest, stored_count

pytestmark = pytest.mark.usefixtures("contract_tables")


def test_stored_snapshot_equals_the_captured_one() -> None:
    captured = capture_release_snapshot(
        create_view_with_manifest(), "v1", release_version="1.0 (final)", top_values_columns=["kind"]
    )
    assert captured.id
    assert find_snapshot(captured.id) == find_by_tag("REPORTING.A", "v1") == captured
    assert (captured.table_name, captured.release) == ("reporting.a", Release(tag="v1", version="1.0 (final)"))
    assert (captured.statistics.row_count, captured.statistics.exact) == (12, True)
    kind = captured.statistics.columns["kind"]
    assert (kind.nulls, kind.distinct, kind.minimum, kind.maximum) == (0, 3, "0", "2")
    assert [(top.value, top.count) for top in kind.top or ()] == [("0", 4), ("1", 4), ("2", 4)]
    assert captured.statistics.columns["word"].top is None
    assert [column.type for column in captured.columns] == ["integer", "integer", "text"]
    [(version,)] = sql("SELECT current_setting('server_version_num')::integer")
    assert captured.server_version == version


def test_snapshot_row_is_readable_by_plain_sql() -> None:
    capture_release_snapshot(create_view_with_manifest(), "v1", top_values_columns=["word"])
    assert sql(
        "SELECT row_count, column_count, columns->0->>'name', column_statistics->'kind'->>'distinct',"
        " top_values->'word'->0->>0 FROM reporting.seeder_release_snapshot"
    ) == [(12, 3, "n", "3", "word 0")]


def test_snapshots_of_a_view_are_listed_latest_first() -> None:
    for tag in ("v1", "v2", "v3"):
        capture_release_snapshot(create_view_with_manifest() if tag == "v1" else "reporting.a", tag)
    capture_release_snapshot(create_view_with_manifest("b"), "v4")
    assert [snapshot.release.tag for snapshot in list_release_snapshots_by_table("Reporting.A")] == ["v3", "v2", "v1"]
    assert [snapshot.release.tag for snapshot in list_release_snapshots_by_table("reporting.a", limit=1)] == ["v3"]
    assert list_release_snapshots_by_table("reporting.unknown") == []


def test_concurrent_captures_store_one_snapshot_per_tag() -> None:
    table, barrier = create_view_with_manifest(), Barrier(4)

    def capture(_: int) -> Snapshot | SnapshotTaken:
        try:
            barrier.wait(timeout=30)
            return capture_release_snapshot(table, "v1")
        except SnapshotTaken as taken:
            return taken
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(capture, range(4)))
    assert sum(isinstance(snapshot, Snapshot) for snapshot in results) == stored_count() == 1
    with pytest.raises(SnapshotTaken, match=r"reporting\.a already has a snapshot at 'v1'"):
        capture_release_snapshot(table, "v1")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE reporting.seeder_release_snapshot SET row_count = 13",
        "UPDATE reporting.seeder_release_snapshot SET release_tag = 'v2'",
        "UPDATE reporting.seeder_release_snapshot SET id = id",
        """INSERT INTO reporting.seeder_release_snapshot OVERRIDING SYSTEM VALUE TABLE reporting.seeder_release_snapshot
        ON CONFLICT (id) DO UPDATE SET row_count = 13""",
        """MERGE INTO reporting.seeder_release_snapshot AS s USING (VALUES (1)) AS v (n) ON true
        WHEN MATCHED THEN UPDATE SET row_count = 13""",
        "WITH changed AS (UPDATE reporting.seeder_release_snapshot SET top_values = NULL RETURNING 1) TABLE changed",
    ],
)
def test_snapshot_cannot_be_changed(statement: str) -> None:
    captured = capture_release_snapshot(create_view_with_manifest(), "v1")
    with pytest.raises(
        Error, match=r"release snapshots are never changed \(snapshot 1, of reporting.a at v1\)"
    ) as error:
        sql(statement)
    assert getattr(error.value.__cause__, "sqlstate", None) == "23001"
    assert find_by_tag("reporting.a", "v1") == captured


@pytest.mark.parametrize(
    "change",
    [
        "release_tag = ''",
        "release_tag = ' v1'",
        "release_tag = E'v\\n1'",
        "release_tag = repeat('x', 201)",
        "release_version = ''",
        "schema_hash = 'abc'",
        "definition_hash = upper(definition_hash) || 'G'",
        "row_count = -1",
        "column_count = 99",
        "columns = '{}'",
        "column_statistics = '[]'",
        "top_values = '[]'",
        "release_tag = 'v1'",  # a second one with this tag
    ],
)
def test_invalid_snapshot_row_is_rejected(change: str) -> None:
    capture_release_snapshot(create_view_with_manifest(), "v1")
    column, _, value = change.partition(" = ")
    values = {name.attname: name.attname for name in ReleaseSnapshot._meta.concrete_fields}
    values |= {"id": "id + 1", "release_tag": "'v2'", column: value}
    with pytest.raises(Error) as error:
        sql(
            f"INSERT INTO reporting.seeder_release_snapshot ({', '.join(values)}) OVERRIDING SYSTEM VALUE"
            f" SELECT {', '.join(values.values())} FROM reporting.seeder_release_snapshot"
        )
    assert getattr(error.value.__cause__, "sqlstate", None) in {"23514", "23505"}
    assert stored_count() == 1


def test_comparison_finds_exactly_the_changes() -> None:
    base = capture_release_snapshot(create_view_with_manifest(), "v1", top_values_columns=["word", "kind"])
    sql("DROP MATERIALIZED VIEW reporting.a")
    sql(
        "CREATE MATERIALIZED VIEW reporting.a AS SELECT nullif(n % 3, 0) AS kind, n::bigint AS n, true AS extra"
        " FROM generate_series(1, 12) AS n WHERE n <= 4"
    )
    other = capture_release_snapshot("reporting.a", "v2", top_values_columns=["kind"])
    comparison = compare(base, other)
    assert {(finding.kind, finding.column): (finding.base, finding.compare) for finding in comparison.findings} == {
        (DifferenceKind.COLUMN_REMOVED, "word"): ("text", None),
        (DifferenceKind.COLUMN_RETYPED, "n"): ("integer", "bigint"),
        (DifferenceKind.COLUMN_ADDED, "extra"): (None, "boolean"),
        (DifferenceKind.COLUMN_REORDERED, None): ("n, kind", "kind, n"),
        (DifferenceKind.DEFINITION, None): (base.definition_hash, other.definition_hash),
        (DifferenceKind.ROWS, None): (12, 4),
        (DifferenceKind.DISTINCT, "n"): (12, 4),
        (DifferenceKind.RANGE, "n"): ("1 … 12", "1 … 4"),
        (DifferenceKind.NULL_SHARE, "kind"): (0.0, 0.25),
        (DifferenceKind.DISTINCT, "kind"): (3, 2),
        (DifferenceKind.RANGE, "kind"): ("0 … 2", "1 … 2"),
        (DifferenceKind.TOP_VALUES, "kind"): ("0 (4), 1 (4), 2 (4)", "1 (2), 2 (1)"),
    }
    assert comparison.severity is Severity.BREAKING


def test_equal_numbers_in_another_order_are_no_difference() -> None:
    numbers = [("1.0", "-0"), ("1.00", "0"), ("1.000", "0")] * 50

    def capture(tag: str, rows: list[tuple[str, str]]) -> Snapshot:
        values = ", ".join(f"({number}, '{zero}'::float8)" for number, zero in rows)
        sql(f"CREATE MATERIALIZED VIEW reporting.a AS SELECT * FROM (VALUES {values}) AS v (n, zero)")
        captured = capture_release_snapshot("reporting.a", tag, top_values_columns=["n", "zero"])
        sql("DROP MATERIALIZED VIEW reporting.a")
        return captured

    create_custom_manifest("reporting.a", "SELECT 1")
    findings = compare(capture("v1", numbers), capture("v2", numbers[::-1])).findings
    assert [finding.kind for finding in findings if finding.kind is not DifferenceKind.DEFINITION] == []


def test_refresh_of_the_same_data_is_no_difference() -> None:
    table = create_view_with_manifest()
    first = capture_release_snapshot(table, "v1", top_values_columns=["word"])
    sql("REFRESH MATERIALIZED VIEW reporting.a")
    second = capture_release_snapshot(table, "v2", top_values_columns=["word"])
    assert compare(first, second).findings == ()


def test_drift_rules_of_the_settings_apply(settings: Settings) -> None:
    first = capture_release_snapshot(create_view_with_manifest(), "v1")
    sql("DROP MATERIALIZED VIEW reporting.a; CREATE MATERIALIZED VIEW reporting.a AS SELECT 1 AS n, 2 AS kind")
    second = capture_release_snapshot("reporting.a", "v2")

    def severities() -> dict[DifferenceKind, Severity]:
        return {finding.kind: finding.severity for finding in compare(first, second).findings}

    by_default = severities()
    assert (by_default[DifferenceKind.ROWS], by_default[DifferenceKind.COLUMN_REMOVED]) == (
        Severity.NONE,
        Severity.BREAKING,
    )
    settings.SEEDER = {
        "DRIFT_RULES": [
            {"kind": "rows", "severity": "breaking", "absolute": 5, "relative": 0.5, "direction": "falling"},
            {"kind": "column_removed", "severity": "none"},
        ]
    }
    assert severities() == by_default | {
        DifferenceKind.ROWS: Severity.BREAKING,
        DifferenceKind.COLUMN_REMOVED: Severity.NONE,
    }


def test_comparison_of_two_views_needs_an_option() -> None:
    first, second = (
        capture_release_snapshot(create_view_with_manifest(), "v1"),
        capture_release_snapshot(create_view_with_manifest("b"), "v1"),
    )
    with pytest.raises(DifferentViews, match="Snapshot 1 is of reporting.a, snapshot 2 is of reporting.b") as refused:
        compare(first, second)
    assert "--across-views (API: acrossViews=true)" in str(refused.value), "option of the command and of the API"
    assert compare(first, second, across_views=True).findings == ()


@pytest.mark.parametrize("snapshot_id", [0, -1, 99, 2**63, 10**30])
def test_unknown_snapshot_id_is_named_in_the_error(snapshot_id: int) -> None:
    with pytest.raises(UnknownSnapshot, match=f"no release snapshot with the id {snapshot_id}"):
        find_snapshot(snapshot_id)
