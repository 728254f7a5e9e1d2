"""Queries on trial: what PostgreSQL refuses, what is shown, and that nothing of a hostile query remains."""

from time import monotonic

import pytest
from django.db import connection

from seeder.domain.query_trials import MAX_CELL_CHARACTERS, MAX_ROWS, ChangeKind, QueryTrial, WarningCode
from seeder.domain.view_names import ViewName
from seeder.postgres import query_trials
from tests.conftest import another_session, sql
from tests.polling import eventually

pytestmark = pytest.mark.usefixtures("contract_tables")

VIEW = ViewName(schema="reporting", name="a")


@pytest.fixture(autouse=True)
def source(contract_tables: None) -> None:
    sql("CREATE TABLE reporting.source AS SELECT n, 'secret ' || n AS word FROM generate_series(1, 30) AS n")
    sql("CREATE SEQUENCE reporting.counter")


def try_query(query: str, *, can_see_data: bool = True) -> QueryTrial:
    return query_trials.try_query("default", VIEW, query, can_see_data=can_see_data)


def codes(trial: QueryTrial) -> list[WarningCode]:
    return [warning.code for warning in trial.warnings]


def test_good_query_shows_plan_columns_relations_and_first_rows() -> None:
    trial = try_query("SELECT n, word FROM reporting.source ORDER BY n; -- 100 %s {} %(x)s")
    assert (trial.problem, list(trial.warnings), trial.column_changes) == (None, [], None)
    assert [(one.name, one.type) for one in trial.columns] == [("n", "integer"), ("word", "text")]
    assert [str(one.name) for one in trial.relations] == ["reporting.source"]
    assert "Seq Scan on source" in (trial.plan or "")
    assert trial.first_rows
    assert (trial.first_rows.rows[0], len(trial.first_rows.rows)) == (("1", "secret 1"), MAX_ROWS)
    assert trial.first_rows.has_more


@pytest.mark.parametrize(
    ("query", "sqlstate"),
    [
        ("SELECT 1 AS n; DROP TABLE reporting.source", "42601"),
        ("DO $$ BEGIN DELETE FROM reporting.source; END $$", "42601"),
        ("COPY reporting.source TO PROGRAM 'true'", "42601"),
        ("DELETE FROM reporting.source RETURNING n", "42601"),
        ("WITH new AS (INSERT INTO reporting.source VALUES (99) RETURNING n) SELECT n FROM new", "0A000"),
        ("SELECT n INTO reporting.copy FROM reporting.source", "0A000"),
        ("SELECT n FROM reporting.source WITH CASCADED CHECK OPTION", "42601"),
        ("SELECT $1 AS n", "42P02"),
        ("SELECT 1 AS n, 2 AS n", "42701"),
        ("SELECT ROW(1) AS n", "42P16"),
        ("", "42601"),
        ("-- only a comment", "42601"),
        (f"SELECT 1{' + 1' * 12_000} AS n", "54001"),
    ],
)
def test_query_that_is_no_single_select_is_refused(query: str, sqlstate: str) -> None:
    trial = try_query(query)
    assert trial.problem
    assert trial.problem.sqlstate == sqlstate
    assert sql("SELECT count(*) FROM reporting.source") == [(30,)]


@pytest.mark.parametrize(
    ("query", "place"),
    [
        ("SELECT missing FROM reporting.source", (1, 8)),
        ("SELECT n,\n  'é' || missing\nFROM reporting.source", (2, 10)),
        ("SELECT n FROM reporting.absent", (1, 15)),
        ("SELECT n FROM reporting.source WHERE", (1, 37)),
    ],
)
def test_error_has_the_line_and_column_in_the_query(query: str, place: tuple[int, int]) -> None:
    problem = try_query(query).problem
    assert problem
    assert (problem.line, problem.column) == place


@pytest.mark.parametrize(
    "query",
    [
        "SELECT nextval('reporting.counter') AS n",
        "SELECT setval('reporting.counter', 100) AS n",
        "SELECT pg_terminate_backend(pid) AS ended FROM pg_stat_activity WHERE pid <> pg_backend_pid()",
        "SELECT pg_advisory_lock(7)::text AS locked",
        "SELECT set_config('transaction_read_only', 'off', false) AS value",
        "SELECT lo_create(4711) AS created",
        "SELECT pg_sleep(100)::text AS slept",
        "SELECT query_to_xml('DELETE FROM reporting.source', true, true, '')::text AS x",
        "SELECT * FROM reporting.innocent",
        "SELECT 1 AS n ORDER BY (SELECT nextval('reporting.counter'))",
        "SELECT 1 OPERATOR(reporting.|+|) 2 AS n",
    ],
)
def test_query_with_volatile_function_is_not_executed(query: str) -> None:
    sql("CREATE VIEW reporting.innocent AS SELECT nextval('reporting.counter') AS n")
    sql(
        "CREATE FUNCTION reporting.add(integer, integer) RETURNS bigint LANGUAGE sql"
        " AS 'SELECT nextval(''reporting.counter'')'"
    )
    sql("CREATE OPERATOR reporting.|+| (LEFTARG = integer, RIGHTARG = integer, FUNCTION = reporting.add)")
    started = monotonic()
    with another_session() as other:
        trial = try_query(query)
        assert other.execute("SELECT 1").fetchone() == (1,)
    assert monotonic() - started < 5
    assert (trial.problem, trial.first_rows) == (None, None)
    assert WarningCode.VOLATILE_FUNCTIONS in codes(trial)
    assert sql("SELECT last_value, is_called FROM reporting.counter") == [(1, False)]
    assert sql("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == [(0,)]
    assert sql("SELECT count(*) FROM pg_largeobject_metadata") == [(0,)]
    assert sql("SELECT count(*) FROM reporting.source") == [(30,)]


def test_stable_function_that_writes_is_refused_by_the_read_only_transaction() -> None:
    sql("CREATE UNLOGGED TABLE reporting.log (n integer)")
    sql(
        "CREATE FUNCTION reporting.write() RETURNS bigint LANGUAGE plpgsql"
        " AS 'BEGIN INSERT INTO reporting.log VALUES (1); RETURN 1; END'"
    )
    sql("CREATE FUNCTION reporting.disguised() RETURNS bigint STABLE LANGUAGE sql AS 'SELECT reporting.write()'")
    sql(
        "CREATE FUNCTION reporting.counting() RETURNS bigint STABLE LANGUAGE sql"
        " AS 'SELECT nextval(''reporting.counter'')'"
    )
    for name in ("disguised", "counting"):
        trial = try_query(f"SELECT reporting.{name}() AS n")
        assert trial.first_rows is None
        assert WarningCode.ROWS_UNAVAILABLE in codes(trial)
    assert sql("SELECT count(*) FROM reporting.log") == [(0,)]
    assert sql("SELECT is_called FROM reporting.counter") == [(False,)]


def test_session_of_the_trial_leaves_nothing_behind() -> None:
    sql("CREATE FUNCTION reporting.lock() RETURNS text STABLE LANGUAGE sql AS 'SELECT pg_advisory_lock(7)::text'")
    sql("SET statement_timeout = '77s'")
    trial = try_query("SELECT reporting.lock() AS locked")
    assert trial.first_rows
    eventually(lambda: sql("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == [(0,)])  # the session ends
    assert sql("SHOW statement_timeout") == [("77s",)]
    assert sql("SELECT count(*) FROM pg_class WHERE relname LIKE 'seeder_comparison%' OR relname = 'seeder_trial'") == [
        (0,)
    ]
    sql("RESET statement_timeout")


@pytest.mark.slow
@pytest.mark.parametrize(
    "query",
    [
        "SELECT n FROM generate_series(1, 1000000000) AS n",
        "SELECT count(*) AS n FROM generate_series(1, 1000000000) AS n",
        "SELECT reporting.sleep()::text AS slept",
    ],
)
def test_rows_that_take_too_long_are_not_shown(query: str) -> None:
    sql("CREATE FUNCTION reporting.sleep() RETURNS text STABLE LANGUAGE sql AS 'SELECT pg_sleep(100)::text'")
    started = monotonic()
    trial = try_query(query)
    assert monotonic() - started < 3 * query_trials.STATEMENT_TIMEOUT.total_seconds()
    assert (trial.problem, trial.first_rows) == (None, None)
    assert codes(trial) == [WarningCode.ROWS_UNAVAILABLE]


def test_many_rows_and_huge_values_are_cut_by_the_server() -> None:
    rows = try_query("SELECT generate_series(1, 1000000000) AS n, repeat('x', 10000000) AS word").first_rows
    assert rows
    assert len(rows.rows) == MAX_ROWS
    assert {len(word or "") for _, word in rows.rows} == {MAX_CELL_CHARACTERS}


def test_without_permission_neither_rows_nor_quoted_data_are_shown() -> None:
    trial = try_query("SELECT n, word FROM reporting.source", can_see_data=False)
    assert (trial.first_rows, trial.problem, list(trial.warnings)) == (None, None, [])
    sql("CREATE FUNCTION reporting.word() RETURNS text STABLE LANGUAGE sql AS 'SELECT max(word) FROM reporting.source'")
    quoting = "SELECT n FROM reporting.source WHERE n = reporting.word()::integer"  # the planner calls it
    for can_see_data in (True, False):
        problem = try_query(quoting, can_see_data=can_see_data).problem
        assert problem
        assert ("secret" in problem.message) is can_see_data
        assert problem.sqlstate == "22P02"


def test_differences_to_the_existing_view_and_its_index_are_reported() -> None:
    sql("CREATE MATERIALIZED VIEW reporting.a AS SELECT n, word, 1 AS old FROM reporting.source")
    sql("CREATE UNIQUE INDEX by_old ON reporting.a (n, old)")
    sql("CREATE UNIQUE INDEX by_n ON reporting.a ((n + 1)) WHERE word > ''")
    trial = try_query("SELECT n::bigint AS n, word, 2 AS new FROM reporting.source")
    assert [(one.name, one.kind, one.before, one.after) for one in trial.column_changes or ()] == [
        ("n", ChangeKind.CHANGED, "integer", "bigint"),
        ("new", ChangeKind.ADDED, None, "integer"),
        ("old", ChangeKind.REMOVED, "integer", None),
    ]
    assert [warning.message for warning in trial.warnings] == [
        "The unique index by_n may refuse the new rows, because the type of n changes.",
        "The unique index by_old cannot exist any more, because the query has no column old.",
    ]


def test_missing_privileges_are_a_warning_with_the_grant(monkeypatch: pytest.MonkeyPatch) -> None:
    sql("CREATE ROLE reader_on_trial")
    try:
        sql("GRANT USAGE ON SCHEMA reporting TO reader_on_trial")
        monkeypatch.setitem(connection.settings_dict, "OPTIONS", {"options": "-c role=reader_on_trial"})
        trial = try_query("SELECT n FROM reporting.source")
    finally:
        sql("REVOKE ALL ON SCHEMA reporting FROM reader_on_trial")
        sql("DROP ROLE reader_on_trial")
    assert (trial.problem, trial.plan, trial.first_rows) == (None, None, None)
    assert "GRANT SELECT ON reporting.source TO reader_on_trial." in trial.warnings[0].message
    assert codes(trial) == [
        WarningCode.PRIVILEGE_MISSING,
        WarningCode.PLAN_UNAVAILABLE,
        WarningCode.ROWS_UNAVAILABLE,
    ]


def test_lock_of_another_session_ends_the_trial_soon() -> None:
    with another_session() as other:
        other.execute("BEGIN; LOCK TABLE reporting.source")
        with pytest.raises(Exception, match="lock timeout"):
            try_query("SELECT n FROM reporting.source")
