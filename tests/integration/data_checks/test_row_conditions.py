"""Conditions of data checks that read only their row, so that they can run on the query of a view."""

import pytest

from seeder.domain.data_checks.rules import Condition
from seeder.domain.view_names import ViewName
from seeder.postgres import transactions
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
