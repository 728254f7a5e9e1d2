"""A query is closed if its rows follow from those that it reads."""

from collections.abc import Callable, Collection, Mapping

import pytest
from django.db import DEFAULT_DB_ALIAS

from seeder.domain.view_names import ViewName
from seeder.postgres.closed_queries import why_not_closed, why_not_repeatable
from seeder.postgres.transactions import rolled_back_atomic
from tests.conftest import server_major_version, sql

FindReasons = Callable[[str, Collection[ViewName]], Mapping[ViewName, tuple[str, ...]]]
pytestmark = pytest.mark.usefixtures("bare_database")

OBJECTS = """
    CREATE TYPE color AS ENUM ('red');
    CREATE TABLE t (id int, at timestamptz, d date, txt text, n numeric, k int, c color);
    CREATE TABLE guarded (i int); ALTER TABLE guarded ENABLE ROW LEVEL SECURITY;
    CREATE SEQUENCE counter;
    CREATE FOREIGN DATA WRAPPER nothing; CREATE SERVER nowhere FOREIGN DATA WRAPPER nothing;
    CREATE FOREIGN TABLE far (i int) SERVER nowhere;
    CREATE TABLE parent (i int); CREATE FOREIGN TABLE far_child () INHERITS (parent) SERVER nowhere;
    CREATE TABLE documents (x xml);
    CREATE TABLE names_relations (r regclass);
    CREATE FUNCTION lies(i int) RETURNS bigint IMMUTABLE LANGUAGE sql AS 'SELECT count(*) FROM t';
    CREATE FUNCTION honest(i int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RETURN i; END';
    CREATE FUNCTION parsed(i int) RETURNS bigint STABLE BEGIN ATOMIC SELECT count(*) FROM t; END;
    CREATE FUNCTION added(int, int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RETURN $1 + $2; END';
    CREATE AGGREGATE own_sum (int) (sfunc = added, stype = int, initcond = '0');
    CREATE OPERATOR @#@ (leftarg = int, rightarg = int, function = added);
    CREATE FUNCTION rows_less(int, int) RETURNS bool IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RETURN $1 < $2; END';
    CREATE VIEW clock AS SELECT now() AS x;
    CREATE VIEW plain AS SELECT id, txt FROM t;
    CREATE VIEW first_one AS SELECT id FROM t LIMIT 1;
    CREATE DOMAIN day AS date;
    CREATE DOMAIN positive AS int CHECK (VALUE > 0);
    CREATE DOMAIN recent AS timestamptz CHECK (VALUE > now());
    CREATE DOMAIN more_recent AS recent;
    CREATE TYPE span AS RANGE (subtype = int);
    CREATE TYPE pair AS (a int, s span);
"""
OPEN = {
    "now()": "SELECT now() AS x",
    "current_date": "SELECT id FROM t WHERE d > current_date - 30",
    "current_user": "SELECT current_user AS u",
    "through a plain view": "SELECT x FROM clock",
    "in a subquery": "SELECT (SELECT max(x) FROM clock) AS m",
    "in a CTE": "WITH w AS (SELECT now() AS n) SELECT n FROM w",
    "in an EXISTS": "SELECT id FROM t WHERE id IN (SELECT 1 WHERE EXISTS (SELECT FROM clock))",
    "in a window": "SELECT lag(id, (random() * 3)::int) OVER (ORDER BY id) AS s FROM t",
    "in a filter": "SELECT count(*) FILTER (WHERE random() > .5) AS n FROM t",
    "in a limit": "SELECT id FROM t ORDER BY id LIMIT (random() * 5)::int",
    "in FROM": "SELECT g FROM t, generate_series(1, (random() * 2)::int) AS g",
    "random()": "SELECT random() AS x FROM t",
    "age(timestamptz)": "SELECT age(at) AS a FROM t",
    "gen_random_uuid()": "SELECT gen_random_uuid() AS x FROM t",
    "nextval()": "SELECT nextval('counter') AS x",
    "current_setting()": "SELECT current_setting('app.x', true) AS u",
    "pg_relation_size()": "SELECT pg_relation_size('t') AS x",
    "pg_current_xact_id()": "SELECT pg_current_xact_id()::text AS x",
    "query_to_xml()": "SELECT query_to_xml('select 1', true, true, '')::text AS x",
    "jsonb_path_query_tz()": "SELECT jsonb_path_query_tz('[]', '$') AS x",
    "to_tsvector(text)": "SELECT to_tsvector(txt) AS x FROM t",
    "text to date": "SELECT txt::date AS d FROM t",
    "text of a number to date": "SELECT (id::text)::date AS d FROM t",
    "text to timestamptz": "SELECT txt::timestamptz AS d FROM t",
    "text to a domain of date": "SELECT txt::day AS d FROM t",
    "text to dates": "SELECT string_to_array(txt, ',')::date[] AS d FROM t",
    "text to an array of dates": "SELECT txt::date[] AS d FROM t",
    "text to regclass": "SELECT txt::regclass AS x FROM t",
    "number to regclass": "SELECT id::oid::regclass::text AS x FROM t",
    "column of regclass": "SELECT to_jsonb(r) AS x FROM names_relations AS r",
    "domain that asks the time": "SELECT at::recent AS x FROM t",
    "domain over it": "SELECT at::more_recent AS x FROM t",
    "function that lies": "SELECT lies(1) AS x",
    "function in PL/pgSQL": "SELECT honest(id) AS x FROM t",
    "stable function": "SELECT parsed(1) AS x",
    "own operator": "SELECT id FROM t WHERE id @#@ 1 > 2",
    "own aggregate": "SELECT own_sum(id) AS x FROM t",
    "grouped by a function": "SELECT count(*) AS n FROM t GROUP BY honest(id)",
    "own range": "SELECT span(id, id + 1) AS x FROM t",
    "composite type with it": "SELECT null::pair AS x",
    "row security": "SELECT i FROM guarded",
    "sequence": "SELECT last_value FROM counter",
    "foreign table": "SELECT i FROM far",
    "foreign child": "SELECT i FROM parent",
    "system catalog": "SELECT relname FROM pg_class",
    "information_schema": "SELECT table_name::text FROM information_schema.tables",
    "statistics": "SELECT relname, n_live_tup FROM pg_stat_user_tables",
    "sample": "SELECT id FROM t TABLESAMPLE system (50)",
    "XMLTABLE": "SELECT e.d FROM documents, XMLTABLE('/e' PASSING x COLUMNS d date PATH 'd') AS e",
    "row locks": "SELECT id FROM t FOR UPDATE",
}
CLOSED = {
    "aggregates": "SELECT k, count(*) AS n, sum(n) AS s, avg(n) AS a, min(d) AS d FROM t GROUP BY k",
    "join": "SELECT a.id, upper(a.txt), coalesce(b.n, 0) FROM t AS a JOIN t AS b USING (id) WHERE a.txt ~ 'x'",
    "plain view": "SELECT DISTINCT txt FROM plain",
    "windows": "SELECT id, row_number() OVER (PARTITION BY k ORDER BY id) AS r, lag(n) OVER (ORDER BY id) AS l FROM t",
    "window of time": "SELECT sum(k) OVER (ORDER BY at RANGE '1 day' PRECEDING) AS s FROM t",
    "month in local time": "SELECT date_trunc('month', at) AS m, count(*) AS n FROM t GROUP BY 1",
    "to_char()": "SELECT to_char(at, 'YYYY-MM') AS m, to_char(n, '999D99') AS t FROM t",
    "literals": "SELECT id FROM t WHERE d >= '2020-01-01' AND at < '2021-01-01' AND d < at",
    "casts": "SELECT id::text AS a, txt::int AS b, n::float8 AS c, d::text AS e, at::date AS f, txt::int[] AS g FROM t",
    "JSON": "SELECT jsonb_build_object('a', id, 'at', at) AS j, jsonb_agg(d) OVER (PARTITION BY k) AS a FROM t",
    "enum": "SELECT c::text AS x, txt::color AS y, count(*) AS n FROM t GROUP BY 1, 2",
    "ordered aggregates": "SELECT string_agg(txt, ',' ORDER BY id), mode() WITHIN GROUP (ORDER BY n) FROM t",
    "generate_series()": "SELECT g FROM generate_series(1, 10) AS g",
    "grouping sets": "SELECT k, d, sum(n) AS n FROM t GROUP BY ROLLUP (k, d)",
    "recursion": "WITH RECURSIVE w (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM w WHERE i < 5) SELECT i FROM w",
    "parts of times": "SELECT extract(year FROM d) AS y, at + interval '1 day' AS x, d - 7 AS w FROM t",
    "full-text search": "SELECT to_tsvector('english', txt) AS x FROM t",
    "domain": "SELECT k::positive AS x FROM t",
    "rows": "SELECT id FROM t WHERE (id, k) < (k, id)",
    "no table": "SELECT 1 AS x",
}
WITH_LIBXML = {"XML": "SELECT xmlelement(name x, txt)::text AS x FROM t"}
ORDER_DEPENDENT = {
    "limit": "SELECT id FROM t ORDER BY k LIMIT 5",
    "offset": "SELECT id FROM t ORDER BY k OFFSET 5",
    "distinct on": "SELECT DISTINCT ON (k) id FROM t ORDER BY k",
    "row numbers": "SELECT id, row_number() OVER (ORDER BY k) AS n FROM t",
    "frame of rows": "SELECT id, sum(n) OVER (ORDER BY k ROWS 1 PRECEDING) AS n FROM t",
    "array of a subquery": "SELECT k, ARRAY(SELECT id FROM t AS other WHERE other.k = t.k) AS a FROM t",
    "joined texts": "SELECT string_agg(txt, ',' ORDER BY k) AS s FROM t",
    "sum of floats": "SELECT k, sum(n::float8) AS s FROM t GROUP BY k",
    "in a plain view": "SELECT id FROM first_one",
}
REPEATABLE = {
    "aggregates": CLOSED["aggregates"],
    "ranks": "SELECT id, rank() OVER (ORDER BY k) AS r, sum(n) OVER (ORDER BY k) AS s FROM t",
    "distinct": "SELECT DISTINCT id FROM t ORDER BY id",
}
NEW_IN_17 = {
    "JSON_VALUE": "SELECT JSON_VALUE(to_jsonb(txt), '$' RETURNING date) AS x FROM t",
    "JSON_TABLE": "SELECT j.d FROM t, JSON_TABLE(to_jsonb(txt), '$' COLUMNS (d date PATH '$')) AS j",
}
NEW_IN_18 = {"virtual column": "SELECT v FROM computed"}


def reasons_for(queries: dict[str, str], find_reasons: FindReasons = why_not_closed) -> dict[str, tuple[str, ...]]:
    """Return for each query why it is not closed, or not repeatable."""
    names = {name: ViewName(schema="public", name=f"view_{number}") for number, name in enumerate(queries)}
    with rolled_back_atomic(DEFAULT_DB_ALIAS):
        sql(OBJECTS)
        if "virtual column" in queries:
            sql(
                "CREATE TABLE computed (t text, v text GENERATED ALWAYS AS (pg_size_pretty(length(t)::bigint)) VIRTUAL)"
            )
        for name, query in queries.items():
            sql(f"CREATE MATERIALIZED VIEW {names[name]} AS {query} WITH NO DATA".replace("%", "%%"))
        found = find_reasons(DEFAULT_DB_ALIAS, [*names.values(), ViewName.parse("public.missing")])
    assert found.keys() == set(names.values())
    return {name: found[view] for name, view in names.items()}


def test_query_that_can_answer_differently_is_not_closed() -> None:
    [(has_libxml,)] = sql("SELECT setting LIKE '%with-libxml%' FROM pg_config WHERE name = 'CONFIGURE'")
    hazards = OPEN | (NEW_IN_17 if server_major_version() >= 17 else {}) | (WITH_LIBXML if has_libxml else {})
    reasons = reasons_for(hazards)
    assert {name for name in hazards if not reasons[name]} == set()
    assert "names in the system catalog" in reasons["text to regclass"][-1]


def test_query_that_follows_from_its_rows_is_closed() -> None:
    ordinary = CLOSED | (NEW_IN_18 if server_major_version() >= 18 else {})
    assert {name: reasons for name, reasons in reasons_for(ordinary).items() if reasons} == {}


def test_query_whose_rows_depend_on_their_order_is_not_repeatable() -> None:
    queries = ORDER_DEPENDENT | REPEATABLE
    assert not any(reasons_for(queries).values()), "all are closed"
    found = reasons_for(queries, why_not_repeatable)
    assert {name for name, reasons in found.items() if reasons} == set(ORDER_DEPENDENT)
