"""A query that matched its view, after the names that it uses changed."""

import pytest

from tests.cases.conftest import Deployment
from tests.conftest import sql

SOURCES = """
CREATE TABLE public.t AS SELECT 1 AS id, 'x'::text AS a, 'y'::text AS gone;
CREATE VIEW public.pv AS SELECT id, a FROM public.t;
"""
CHANGES = {
    "column added": ("SELECT * FROM public.t", "ALTER TABLE public.t ADD COLUMN b int DEFAULT 7"),
    "column renamed": ("SELECT id, gone FROM public.t", "ALTER TABLE public.t RENAME COLUMN gone TO renamed"),
    "plain view replaced": (
        "SELECT * FROM public.pv",
        "CREATE OR REPLACE VIEW public.pv AS SELECT id, a, gone FROM public.t",
    ),
    "table replaced": (
        "SELECT id FROM public.t",
        "ALTER TABLE public.t RENAME TO old; CREATE TABLE public.t AS TABLE public.old",
    ),
    "table moved": ("SELECT id FROM t", "ALTER TABLE public.t SET SCHEMA reporting"),
    "table hidden": ("SELECT id FROM t", "CREATE SCHEMA seeder; CREATE TABLE seeder.t AS TABLE public.t"),
    "function hidden": (
        "SELECT public.f(a) AS n FROM public.t",
        "CREATE FUNCTION public.f(text) RETURNS int LANGUAGE sql RETURN 2",
    ),
    "type renamed": ("SELECT 'x'::public.letter AS l", "ALTER TYPE public.letter RENAME TO sign"),
}


@pytest.mark.slow
@pytest.mark.parametrize("change", CHANGES)
def test_confirmed_query_is_compared_again_after(deployment: Deployment, change: str) -> None:
    query, statements = CHANGES[change]
    deployment.execute(SOURCES)
    deployment.execute("CREATE FUNCTION public.f(varchar) RETURNS int LANGUAGE sql RETURN 1")
    deployment.execute("CREATE TYPE public.letter AS ENUM ('x')")
    deployment.add_manifest("reporting.v", query)
    for _ in range(2):
        assert deployment.manage("refresh_all").exit_code == 0
    assert sql("SELECT count(*) FROM reporting.seeder_view_definition") == [(1,)]
    assert deployment.problems("definition_drift") == {}
    sql(f"GRANT CREATE ON DATABASE {sql('SELECT quote_ident(current_database())')[0][0]} TO seeder")
    deployment.execute(statements)
    assert "Definition drift" in deployment.manage("refresh_all").out
    assert deployment.problems("definition_drift").keys() == {"reporting.v"}


def test_unchanged_query_stays_confirmed_after_new_tables(deployment: Deployment) -> None:
    deployment.execute(SOURCES)
    deployment.add_manifest("reporting.v", "SELECT * FROM public.t")
    for _ in range(2):
        deployment.manage("refresh_all")
    deployment.execute("CREATE TABLE public.other (n int); INSERT INTO public.t VALUES (2, 'x', 'y'); ANALYZE public.t")
    deployment.manage("refresh_all")
    assert sql("SELECT count(*) FROM reporting.seeder_view_definition") == [(1,)]


@pytest.mark.parametrize(
    ("query", "is_drift"),
    [
        ("SELECT id, upper(a) FROM (SELECT id, a AS a FROM public.t) AS s", False),
        ("SELECT id AS n, upper(a) FROM (SELECT id, a AS a FROM public.t) AS s", True),
        ("SELECT id, upper(gone) FROM (SELECT id, gone FROM public.t) AS s", True),
        ("SELECT id, upper(a), 1 AS more FROM (SELECT id, a AS a FROM public.t) AS s", True),
    ],
)
def test_column_list_of_a_view_is_no_drift(deployment: Deployment, query: str, *, is_drift: bool) -> None:
    deployment.execute(SOURCES)
    deployment.execute(
        'CREATE MATERIALIZED VIEW reporting.v ("n 1", b) AS'
        " SELECT id, upper(a) FROM (SELECT id, a AS a FROM public.t) AS s"
    )
    deployment.add_manifest("reporting.v", query)
    [view] = deployment.manage("refresh_all", "--dry-run", "--json").document["views"]
    assert bool(view["definitionDrift"]) is is_drift
    assert bool(deployment.problems("definition_drift")) is is_drift
