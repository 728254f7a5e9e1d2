"""Release snapshots: taken of one instant, stored once and never changed."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import Error, connections
from pytest_django import Settings

from seeder.domain.drift import Comparison
from seeder.domain.drift_rules import Kind, Severity
from seeder.domain.requests import Everything, OneAgency
from seeder.domain.snapshots import Release, Snapshot
from seeder.errors import (
    BadTag,
    CaptureFailed,
    DifferentViews,
    NeverFilled,
    NotAView,
    NothingToCapture,
    SeveralViews,
    SnapshotTaken,
    UnknownColumn,
    UnknownSnapshot,
    UnknownTable,
    ViewMissing,
)
from seeder.models import CustomReportManifest, ReleaseSnapshot
from seeder.services.capturing import Captured, capture_each
from seeder.services.release_snapshots import (
    capture_release_snapshot,
    compare_release_snapshots_by_id,
    find,
    find_by_tag,
    list_release_snapshots_by_table,
)
from tests.conftest import another_session, canned, custom, sql

pytestmark = pytest.mark.usefixtures("reporting")

QUERY = "SELECT n, n % 3 AS kind, 'word ' || n % 2 AS word FROM generate_series(1, 12) AS n"


def made(name: str = "a", query: str = QUERY, *, agency: str = "demo") -> str:
    """A view and its manifest; its name."""
    sql(f"CREATE MATERIALIZED VIEW reporting.{name} AS {query.replace('%', '%%') if '%%' in query else query}")
    custom(f"reporting.{name}", query, agency=agency)
    return f"reporting.{name}"


def compared(base: Snapshot, other: Snapshot, **options: bool) -> Comparison:
    assert base.id
    assert other.id
    return compare_release_snapshots_by_id(base.id, other.id, **options)


def number_stored() -> int:
    return ReleaseSnapshot.objects.count()


def test_what_is_stored_is_what_was_captured() -> None:
    captured = capture_release_snapshot(made(), "v1", release_version="1.0 (final)", top_values_columns=["kind"])
    assert captured.id
    assert find(captured.id) == find_by_tag("REPORTING.A", "v1") == captured
    assert (captured.table_name, captured.release) == ("reporting.a", Release(tag="v1", version="1.0 (final)"))
    assert (captured.figures.rows, captured.figures.exact) == (12, True)
    kind = captured.figures.columns["kind"]
    assert (kind.nulls, kind.distinct, kind.minimum, kind.maximum) == (0, 3, "0", "2")
    assert [(top.value, top.count) for top in kind.top or ()] == [("0", 4), ("1", 4), ("2", 4)]
    assert captured.figures.columns["word"].top is None
    assert [column.type for column in captured.shape.columns] == ["integer", "integer", "text"]
    [(version,)] = sql("SELECT current_setting('server_version_num')::integer")
    assert captured.shape.server_version == version


def test_a_row_can_be_read_without_this_app() -> None:
    capture_release_snapshot(made(), "v1", top_values_columns=["word"])
    assert sql(
        "SELECT row_count, column_count, columns->0->>'name', column_statistics->'kind'->>'distinct',"
        " top_values->'word'->0->>0 FROM reporting.seeder_release_snapshot"
    ) == [(12, 3, "n", "3", "word 0")]


def test_the_snapshots_of_a_view_are_listed_the_latest_first() -> None:
    for tag in ("v1", "v2", "v3"):
        capture_release_snapshot(made() if tag == "v1" else "reporting.a", tag)
    capture_release_snapshot(made("b"), "v4")
    assert [one.release.tag for one in list_release_snapshots_by_table("Reporting.A")] == ["v3", "v2", "v1"]
    assert [one.release.tag for one in list_release_snapshots_by_table("reporting.a", limit=1)] == ["v3"]
    assert list_release_snapshots_by_table("reporting.nobody_s") == []


def test_a_view_has_one_snapshot_for_each_tag_however_many_capture_at_once() -> None:
    table, together = made(), Barrier(4)

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
    assert sum(isinstance(one, Snapshot) for one in ended) == number_stored() == 1
    with pytest.raises(SnapshotTaken, match=r"There is a snapshot of reporting\.a at 'v1' already"):
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
    before = capture_release_snapshot(made(), "v1")
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
    capture_release_snapshot(made(), "v1")
    column, _, value = change.partition(" = ")
    values = {name.attname: name.attname for name in ReleaseSnapshot._meta.concrete_fields}
    values |= {"id": "id + 1", "release_tag": "'v2'", column: value}
    with pytest.raises(Error) as error:
        sql(
            f"INSERT INTO reporting.seeder_release_snapshot ({', '.join(values)}) OVERRIDING SYSTEM VALUE"
            f" SELECT {', '.join(values.values())} FROM reporting.seeder_release_snapshot"
        )
    assert getattr(error.value.__cause__, "sqlstate", None) in {"23514", "23505"}
    assert number_stored() == 1


def test_a_comparison_names_exactly_what_a_release_has_changed() -> None:
    base = capture_release_snapshot(made(), "v1", top_values_columns=["word", "kind"])
    sql("DROP MATERIALIZED VIEW reporting.a")
    sql(
        "CREATE MATERIALIZED VIEW reporting.a AS SELECT nullif(n % 3, 0) AS kind, n::bigint AS n, true AS extra"
        " FROM generate_series(1, 12) AS n WHERE n <= 4"
    )
    other = capture_release_snapshot("reporting.a", "v2", top_values_columns=["kind"])
    found = compared(base, other)
    assert {(finding.kind, finding.column): (finding.base, finding.compare) for finding in found.findings} == {
        (Kind.COLUMN_REMOVED, "word"): ("text", None),
        (Kind.COLUMN_RETYPED, "n"): ("integer", "bigint"),
        (Kind.COLUMN_ADDED, "extra"): (None, "boolean"),
        (Kind.COLUMN_REORDERED, None): ("n, kind", "kind, n"),
        (Kind.DEFINITION, None): (base.shape.definition, other.shape.definition),
        (Kind.ROWS, None): (12, 4),
        (Kind.DISTINCT, "n"): (12, 4),
        (Kind.RANGE, "n"): ("1 … 12", "1 … 4"),
        (Kind.NULL_SHARE, "kind"): (0.0, 0.25),
        (Kind.DISTINCT, "kind"): (3, 2),
        (Kind.RANGE, "kind"): ("0 … 2", "1 … 2"),
        (Kind.TOP_VALUES, "kind"): ("0 (4), 1 (4), 2 (4)", "1 (2), 2 (1)"),
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

    custom("reporting.a", "SELECT 1")
    findings = compared(view("v1", numbers), view("v2", numbers[::-1])).findings
    assert [one.kind for one in findings if one.kind is not Kind.DEFINITION] == []


def test_a_refresh_of_the_same_data_is_no_difference() -> None:
    table = made()
    first = capture_release_snapshot(table, "v1", top_values_columns=["word"])
    sql("REFRESH MATERIALIZED VIEW reporting.a")
    second = capture_release_snapshot(table, "v2", top_values_columns=["word"])
    assert compared(first, second).findings == ()


@pytest.mark.parametrize("how", ["CONCURRENTLY", ""])
def test_all_figures_are_of_one_instant_whatever_is_refreshed_meanwhile(
    how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a plain refresh puts in place every transaction would see, so that it has to wait."""
    monkeypatch.setenv("SEEDER_SNAPSHOT_CONNECTIONS", "3")
    sql("CREATE TABLE reporting.source AS SELECT n AS a, n AS b, n AS c, n AS d FROM generate_series(1, 100) AS n")
    table = made("view", "SELECT * FROM reporting.source")
    sql("CREATE UNIQUE INDEX ON reporting.view (a)")
    waited: list[bool] = []

    def meddle(*_: int) -> None:
        if waited:
            return
        waited.append(False)
        with another_session(options="-c lock_timeout=200ms") as somebody:
            somebody.execute("DELETE FROM reporting.source WHERE a > 10")
            try:
                somebody.execute(f"REFRESH MATERIALIZED VIEW {how} reporting.view")
            except Exception:  # noqa: BLE001  # whatever it is, it did not get through
                waited[0] = True

    snapshot = capture_release_snapshot(table, "v1", tell=meddle)
    assert waited == [how == ""]
    assert {figures.distinct for figures in snapshot.figures.columns.values()} == {100}
    assert snapshot.figures.rows == 100


def test_the_rules_of_the_settings_decide(settings: Settings) -> None:
    first = capture_release_snapshot(made(), "v1")
    sql("DROP MATERIALIZED VIEW reporting.a; CREATE MATERIALIZED VIEW reporting.a AS SELECT 1 AS n, 2 AS kind")
    second = capture_release_snapshot("reporting.a", "v2")

    def severities() -> dict[Kind, Severity]:
        return {one.kind: one.severity for one in compared(first, second).findings}

    by_default = severities()
    assert (by_default[Kind.ROWS], by_default[Kind.COLUMN_REMOVED]) == (Severity.NONE, Severity.BREAKING)
    settings.SEEDER = {
        "DRIFT_RULES": [
            {"kind": "rows", "severity": "breaking", "absolute": 5, "relative": 0.5, "direction": "falling"},
            {"kind": "column_removed", "severity": "none"},
        ]
    }
    assert severities() == by_default | {Kind.ROWS: Severity.BREAKING, Kind.COLUMN_REMOVED: Severity.NONE}


def refused(error: type[Exception], table: str, tag: str = "v1", **options: object) -> str:
    """The line in which a capture is refused, with nothing stored."""
    before = number_stored()
    with pytest.raises(error) as refusal:
        capture_release_snapshot(table, tag, **options)  # type: ignore[arg-type]  # as wrong as the test wants it
    assert number_stored() == before
    assert "\n" not in str(refusal.value)
    return str(refusal.value)


def test_what_cannot_be_captured_says_why_and_leaves_nothing() -> None:
    made()
    assert "The nearest known one is 'reporting.a'" in refused(UnknownTable, "reporting.aa")
    assert refused(BadTag, "reporting.a", " ")
    assert "no column 'knid'. The nearest it has is 'kind'." in refused(
        UnknownColumn, "reporting.a", top_values_columns=["n", "knid"]
    )
    custom("reporting.never", "SELECT 1")
    assert "does not exist" in refused(ViewMissing, "reporting.never")
    sql("CREATE MATERIALIZED VIEW reporting.never AS SELECT 1 AS n WITH NO DATA")
    assert "was never filled" in refused(NeverFilled, "reporting.never")
    custom("reporting.plain", "SELECT 1")
    sql("CREATE VIEW reporting.plain AS SELECT 1 AS n")
    assert "is no materialized view" in refused(NotAView, "reporting.plain")
    custom("reporting.off", "SELECT 1", enabled=False)
    assert "nothing to capture" in refused(NothingToCapture, "reporting.off")


def test_a_name_that_means_two_views_is_refused(settings: Settings) -> None:
    settings.SEEDER = {"DATABASES": {1: "default", 2: "archive"}}
    made()
    custom("reporting.a", QUERY)
    CustomReportManifest.objects.filter(pk=2).update(database_id=2)
    assert "a view in each of archive and default" in refused(SeveralViews, "reporting.a")
    [one] = capture_each(Everything(), Release(tag="v1"))
    assert "a view in each of archive and default" in str(one.error)


def test_a_view_that_is_dropped_meanwhile_is_missing() -> None:
    table = made()
    with another_session() as somebody:
        somebody.autocommit = False
        somebody.execute("DROP MATERIALIZED VIEW reporting.a")
        pid = somebody.info.backend_pid
        with ThreadPoolExecutor(1) as pool:
            going = pool.submit(_in_a_thread, lambda: refused(ViewMissing, table))
            while not sql("SELECT pid FROM pg_stat_activity WHERE %s = ANY (pg_blocking_pids(pid))", pid):
                assert not going.done()
            somebody.commit()
            assert "does not exist" in going.result()


def _in_a_thread(act: Callable[[], str]) -> str:
    try:
        return act()
    finally:
        connections.close_all()


def test_what_the_view_reads_is_free_while_it_is_counted() -> None:
    sql("CREATE TABLE reporting.source AS SELECT 1 AS n")
    table, free = made("view", "SELECT n FROM reporting.source"), list[bool]()

    def load(*_: int) -> None:
        with another_session(options="-c lock_timeout=200ms") as somebody:
            somebody.execute("TRUNCATE reporting.source")
            free.append(True)

    capture_release_snapshot(table, "v1", tell=load)
    assert free == [True]


def test_an_interrupt_of_many_captures_stores_nothing_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEEDER_SNAPSHOT_CONNECTIONS", "1")
    for name in ("a", "b", "c"):
        made(name)
    stored: list[int] = []

    def interrupt(*_: object) -> None:
        stored.append(number_stored())
        raise KeyboardInterrupt("SIGINT")

    with pytest.raises(KeyboardInterrupt):
        capture_each(Everything(), Release(tag="v1"), tell=interrupt)
    assert number_stored() <= stored[0] + 1, "at most what was being written at that moment"


def test_an_interrupt_reaches_a_capture_that_waits_for_a_lock() -> None:
    made()
    made("b", "SELECT 1 AS n")
    with another_session() as somebody, somebody.transaction():
        somebody.execute("REFRESH MATERIALIZED VIEW reporting.a")
        pid = somebody.info.backend_pid

        def interrupt(*_: object) -> None:
            while not sql("SELECT pid FROM pg_stat_activity WHERE %s = ANY (pg_blocking_pids(pid))", pid):
                pass
            raise KeyboardInterrupt("SIGINT")

        with pytest.raises(KeyboardInterrupt):  # the lock is held on
            capture_each(Everything(), Release(tag="v1"), tell=interrupt)
    assert [one.table_name for one in ReleaseSnapshot.objects.all()] == ["reporting.b"]


def test_the_limits_apply(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEEDER_MAX_RETRIES", "0")
    monkeypatch.setenv("SEEDER_LOCK_TIMEOUT_MS", "50")
    table = made()
    with another_session() as somebody, somebody.transaction():
        somebody.execute("REFRESH MATERIALIZED VIEW reporting.a")
        assert "lock timeout" in refused(CaptureFailed, table)
    monkeypatch.setenv("SEEDER_STATEMENT_TIMEOUT_MS", "5")
    slow = made("slow", "SELECT a, b FROM generate_series(1, 700) AS a, generate_series(1, 1000) AS b")
    assert "statement timeout" in refused(CaptureFailed, slow)


def test_every_view_of_a_request_is_captured_and_one_that_fails_stops_no_other() -> None:
    made()
    made("b", "SELECT 1 AS n")
    custom("reporting.missing", "SELECT 1")
    custom("bad.name.indeed", "SELECT 1")
    made("elsewhere", "SELECT 1 AS n", agency="harbor")
    canned("reporting.b", "SELECT 1 AS n", agencies=("demo", "harbor"))
    heard: list[tuple[str, int, int]] = []

    def tell(one: Captured, number: int, total: int) -> None:
        heard.append((one.table_name, number, total))

    ended = {
        one.table_name: one
        for one in capture_each(OneAgency(slug="demo"), Release(tag="v1"), top=frozenset({"kind"}), tell=tell)
    }
    assert sorted(ended) == ["bad.name.indeed", "reporting.a", "reporting.b", "reporting.missing"]
    assert [(number, total) for _, number, total in heard] == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert {name for name, one in ended.items() if one.snapshot} == {"reporting.a", "reporting.b"}
    assert "does not exist" in str(ended["reporting.missing"].error)
    assert "3 parts" in str(ended["bad.name.indeed"].error)
    a, b = (find_by_tag(name, "v1").figures.columns for name in ("reporting.a", "reporting.b"))
    assert a["kind"].top
    assert b["n"].top is None
    again = {one.table_name: one for one in capture_each(Everything(), Release(tag="v1"))}
    assert {name for name, one in again.items() if one.snapshot} == {"reporting.elsewhere"}
    custom("reporting.off", "SELECT 1", enabled=False, agency="metro")
    with pytest.raises(NothingToCapture, match="the agency 'metro'"):
        capture_each(OneAgency(slug="metro"), Release(tag="v1"))


def test_snapshots_of_two_views_are_compared_only_where_that_is_meant() -> None:
    first, second = capture_release_snapshot(made(), "v1"), capture_release_snapshot(made("b"), "v1")
    with pytest.raises(DifferentViews, match="Snapshot 1 is of reporting.a and snapshot 2 of reporting.b"):
        compared(first, second)
    assert compared(first, second, across_views=True).findings == ()


@pytest.mark.parametrize("snapshot_id", [0, -1, 99, 2**63, 10**30])
def test_an_id_that_nothing_has_is_named(snapshot_id: int) -> None:
    with pytest.raises(UnknownSnapshot, match=f"no release snapshot with the id {snapshot_id}"):
        find(snapshot_id)
