"""Release snapshots: taken of one instant, stored once and never changed."""

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


def test_what_is_stored_is_what_was_captured() -> None:
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
    assert [column.type for column in captured.shape.columns] == ["integer", "integer", "text"]
    [(version,)] = sql("SELECT current_setting('server_version_num')::integer")
    assert captured.shape.server_version == version


def test_a_row_can_be_read_without_this_app() -> None:
    capture_release_snapshot(create_view_with_manifest(), "v1", top_values_columns=["word"])
    assert sql(
        "SELECT row_count, column_count, columns->0->>'name', column_statistics->'kind'->>'distinct',"
        " top_values->'word'->0->>0 FROM reporting.seeder_release_snapshot"
    ) == [(12, 3, "n", "3", "word 0")]


def test_the_snapshots_of_a_view_are_listed_the_latest_first() -> None:
    for tag in ("v1", "v2", "v3"):
        capture_release_snapshot(create_view_with_manifest() if tag == "v1" else "reporting.a", tag)
    capture_release_snapshot(create_view_with_manifest("b"), "v4")
    assert [one.release.tag for one in list_release_snapshots_by_table("Reporting.A")] == ["v3", "v2", "v1"]
    assert [one.release.tag for one in list_release_snapshots_by_table("reporting.a", limit=1)] == ["v3"]
    assert list_release_snapshots_by_table("reporting.nobody_s") == []


def test_a_view_has_one_snapshot_for_each_tag_however_many_capture_at_once() -> None:
    table, together = create_view_with_manifest(), Barrier(4)

    def capture(_: int) -> Snapshot | SnapshotTaken:
        try:
            together.wait(timeout=30)
            return capture_release_snapshot(table, "v1")
        except SnapshotTaken as taken:
            return taken
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        ended = list(pool.map(capture, range(4)))
    assert sum(isinstance(one, Snapshot) for one in ended) == stored_count() == 1
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
def test_nobody_changes_a_snapshot(statement: str) -> None:
    before = capture_release_snapshot(create_view_with_manifest(), "v1")
    with pytest.raises(
        Error, match=r"release snapshots are never changed \(snapshot 1, of reporting.a at v1\)"
    ) as error:
        sql(statement)
    assert getattr(error.value.__cause__, "sqlstate", None) == "23001"
    assert find_by_tag("reporting.a", "v1") == before


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
        "release_tag = 'v1'",  # a second one
    ],
)
def test_what_cannot_be_is_not_stored(change: str) -> None:
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


def test_a_comparison_names_exactly_what_a_release_has_changed() -> None:
    base = capture_release_snapshot(create_view_with_manifest(), "v1", top_values_columns=["word", "kind"])
    sql("DROP MATERIALIZED VIEW reporting.a")
    sql(
        "CREATE MATERIALIZED VIEW reporting.a AS SELECT nullif(n % 3, 0) AS kind, n::bigint AS n, true AS extra"
        " FROM generate_series(1, 12) AS n WHERE n <= 4"
    )
    other = capture_release_snapshot("reporting.a", "v2", top_values_columns=["kind"])
    found = compare(base, other)
    assert {(finding.kind, finding.column): (finding.base, finding.compare) for finding in found.findings} == {
        (DifferenceKind.COLUMN_REMOVED, "word"): ("text", None),
        (DifferenceKind.COLUMN_RETYPED, "n"): ("integer", "bigint"),
        (DifferenceKind.COLUMN_ADDED, "extra"): (None, "boolean"),
        (DifferenceKind.COLUMN_REORDERED, None): ("n, kind", "kind, n"),
        (DifferenceKind.DEFINITION, None): (base.shape.definition_hash, other.shape.definition_hash),
        (DifferenceKind.ROWS, None): (12, 4),
        (DifferenceKind.DISTINCT, "n"): (12, 4),
        (DifferenceKind.RANGE, "n"): ("1 … 12", "1 … 4"),
        (DifferenceKind.NULL_SHARE, "kind"): (0.0, 0.25),
        (DifferenceKind.DISTINCT, "kind"): (3, 2),
        (DifferenceKind.RANGE, "kind"): ("0 … 2", "1 … 2"),
        (DifferenceKind.TOP_VALUES, "kind"): ("0 (4), 1 (4), 2 (4)", "1 (2), 2 (1)"),
    }
    assert found.severity is Severity.BREAKING


def test_equal_numbers_in_another_order_are_no_difference() -> None:
    numbers = [("1.0", "-0"), ("1.00", "0"), ("1.000", "0")] * 50

    def view(tag: str, rows: list[tuple[str, str]]) -> Snapshot:
        values = ", ".join(f"({one}, '{zero}'::float8)" for one, zero in rows)
        sql(f"CREATE MATERIALIZED VIEW reporting.a AS SELECT * FROM (VALUES {values}) AS v (n, zero)")
        found = capture_release_snapshot("reporting.a", tag, top_values_columns=["n", "zero"])
        sql("DROP MATERIALIZED VIEW reporting.a")
        return found

    create_custom_manifest("reporting.a", "SELECT 1")
    findings = compare(view("v1", numbers), view("v2", numbers[::-1])).findings
    assert [one.kind for one in findings if one.kind is not DifferenceKind.DEFINITION] == []


def test_a_refresh_of_the_same_data_is_no_difference() -> None:
    table = create_view_with_manifest()
    first = capture_release_snapshot(table, "v1", top_values_columns=["word"])
    sql("REFRESH MATERIALIZED VIEW reporting.a")
    second = capture_release_snapshot(table, "v2", top_values_columns=["word"])
    assert compare(first, second).findings == ()


def test_the_rules_of_the_settings_decide(settings: Settings) -> None:
    first = capture_release_snapshot(create_view_with_manifest(), "v1")
    sql("DROP MATERIALIZED VIEW reporting.a; CREATE MATERIALIZED VIEW reporting.a AS SELECT 1 AS n, 2 AS kind")
    second = capture_release_snapshot("reporting.a", "v2")

    def severities() -> dict[DifferenceKind, Severity]:
        return {one.kind: one.severity for one in compare(first, second).findings}

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


def test_snapshots_of_two_views_are_compared_only_where_that_is_meant() -> None:
    first, second = (
        capture_release_snapshot(create_view_with_manifest(), "v1"),
        capture_release_snapshot(create_view_with_manifest("b"), "v1"),
    )
    with pytest.raises(DifferentViews, match="Snapshot 1 is of reporting.a, snapshot 2 is of reporting.b") as refused:
        compare(first, second)
    assert "--across-views (API: acrossViews=true)" in str(refused.value)  # for the command and the API
    assert compare(first, second, across_views=True).findings == ()


@pytest.mark.parametrize("snapshot_id", [0, -1, 99, 2**63, 10**30])
def test_an_id_that_nothing_has_is_named(snapshot_id: int) -> None:
    with pytest.raises(UnknownSnapshot, match=f"no release snapshot with the id {snapshot_id}"):
        find_snapshot(snapshot_id)
