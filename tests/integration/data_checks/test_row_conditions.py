"""Conditions of data checks that read only their row, so that they can run on the query of a view."""

import pytest

from seeder.domain.data_checks.rules import Condition
from seeder.domain.view_names import ViewName
from seeder.postgres import transactions
from seeder.postgres.closed_queries import why_not_closed
from seeder.postgres.row_conditions import find_row_conditions
from tests.conftest import sql

OF_ROW = [
    "checked.amount < 1e9 -- a comment",
    "status IN ('open', 'done') AND lower(status) = status",
    "at <= now() AND at::date > current_date - 30 AND at > 'yesterday'",
    '"a ""quoted"" column" IS NULL OR kind = \'x\'',
]
OTHERS = [
    "amount <= (SELECT max(amount) FROM reporting.a)",
    "EXISTS (SELECT FROM reporting.plain)",
    "EXISTS (SELECT FROM pg_class)",
    "amount <= public.rows_of_view()",
    "query_to_xml('SELECT * FROM reporting.a', true, true, '')::text <> ''",
    "amount < 0 OR random() >= 0",
    "true)), (SELECT count(*) FROM reporting.a), count(*) FILTER (WHERE ((true",
    "ctid IS NOT NULL",
    "no_column > 1",
    "true); CREATE TABLE public.second (id int); SELECT (true",
]


@pytest.mark.usefixtures("contract_tables")
def test_condition_runs_before_only_if_it_reads_its_row() -> None:
    sql(
        "CREATE TYPE reporting.kind AS ENUM ('x');"
        "CREATE MATERIALIZED VIEW reporting.a AS SELECT 'open'::varchar(9) AS status, 1.5::numeric(9, 2) AS amount,"
        """ now() AS at, NULL::int[] AS "a ""quoted"" column", 'x'::reporting.kind AS kind;"""
        "CREATE VIEW reporting.plain AS SELECT FROM reporting.a;"
        "CREATE FUNCTION public.rows_of_view() RETURNS bigint LANGUAGE plpgsql AS"
        " $$BEGIN RETURN (SELECT count(*) FROM reporting.a); END$$"
    )
    conditions = [Condition(expression=expression) for expression in (*OF_ROW, *OTHERS)]
    with transactions.atomic():
        found = find_row_conditions("default", ViewName(schema="reporting", name="a"), conditions)
        assert sql("SELECT 1") == [(1,)], "the transaction continues"
    sql("DROP FUNCTION public.rows_of_view")
    assert {one.expression for one in found} == set(OF_ROW)


@pytest.mark.usefixtures("contract_tables")
def test_function_of_a_user_is_not_taken_for_one_of_the_server() -> None:
    view = ViewName(schema="reporting", name="a")
    with transactions.rolled_back_atomic("default"):
        sql(
            "CREATE FUNCTION public.now() RETURNS timestamptz LANGUAGE sql AS 'SELECT pg_catalog.now()';"
            "CREATE FUNCTION public.to_json(anyelement) RETURNS json VOLATILE LANGUAGE sql AS $$SELECT '1'::json$$;"
            "SET LOCAL search_path = public, pg_catalog;"
            "CREATE MATERIALIZED VIEW reporting.a AS SELECT to_json(1)::text AS t, pg_catalog.now() AS at"
        )
        assert not find_row_conditions("default", view, [Condition(expression="at <= now()")])
        assert "calls to_json(anyelement), which PostgreSQL does not check" in why_not_closed("default", [view])[view]
