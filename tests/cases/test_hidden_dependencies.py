"""Dependencies that are not in the view's own rule."""

import pytest

from tests.cases.conftest import Deployment
from tests.conftest import sql

FUNCTION = "public.f(integer) RETURNS integer IMMUTABLE BEGIN ATOMIC SELECT max(id) + $1 FROM reporting.z; END"
# Statements after view `z` exists, and the query of view `a`.
PATHS = {
    "plain view": ("CREATE VIEW public.pv AS SELECT id FROM reporting.z", "SELECT id FROM public.pv"),
    "operator": (
        "CREATE OPERATOR public.@@+ (FUNCTION = public.f, RIGHTARG = integer)",
        "SELECT OPERATOR(public.@@+) id AS id FROM public.src",
    ),
    "aggregate": (
        (
            "CREATE FUNCTION public.step(integer, integer) RETURNS integer RETURN public.f($1) + $2;"
            "CREATE AGGREGATE public.total(integer) (SFUNC = public.step, STYPE = integer, INITCOND = '0')"
        ),
        "SELECT public.total(id) AS id FROM public.src",
    ),
    "domain": (
        "CREATE DOMAIN public.d AS integer CHECK (public.f(VALUE) > 0)",
        "SELECT id::public.d AS id FROM public.src",
    ),
    "domain over a domain": (
        "CREATE DOMAIN public.d AS integer CHECK (public.f(VALUE) > 0); CREATE DOMAIN public.e AS public.d",
        "SELECT id::public.e AS id FROM public.src",
    ),
    "domain in a composite type": (
        "CREATE DOMAIN public.d AS integer CHECK (public.f(VALUE) > 0); CREATE TYPE public.pair AS (n public.d)",
        "SELECT (json_populate_record(NULL::public.pair, '{\"n\": 1}')).n AS id",
    ),
    "default argument": (
        "CREATE FUNCTION public.g(a integer DEFAULT public.f(1)) RETURNS integer LANGUAGE sql RETURN $1",
        "SELECT public.g() AS id",
    ),
    "cast": (
        (
            "CREATE TYPE public.box AS (n integer);"
            "CREATE FUNCTION public.wrap(integer) RETURNS public.box RETURN ROW(public.f($1))::public.box;"
            "CREATE CAST (integer AS public.box) WITH FUNCTION public.wrap(integer)"
        ),
        "SELECT (id::public.box).n AS id FROM public.src",
    ),
    "policy that calls a function": (
        "CREATE TABLE public.facts AS TABLE public.src; CREATE POLICY p ON public.facts USING (public.f(id) > 0)",
        "SELECT id FROM public.facts",
    ),
    "constant of a table's name": ("SELECT 1", "SELECT pg_relation_size('reporting.z'::regclass) AS id"),
}


@pytest.fixture
def with_z(deployment: Deployment) -> Deployment:
    """A deployment with view `z` and function `f`, which reads it."""
    deployment.execute("CREATE TABLE public.src AS SELECT 1 AS id")
    deployment.add_manifest("reporting.z", "SELECT id FROM public.src")
    assert deployment.manage("refresh_all").exit_code == 0
    deployment.execute(f"CREATE FUNCTION {FUNCTION}")
    return deployment


def planned_dependencies(deployment: Deployment) -> dict[str, list[str]]:
    plan = deployment.manage("refresh_all", "--dry-run", "--json").document
    return {view["view"]: view["dependsOn"] for view in plan["views"]}


@pytest.mark.parametrize("path", PATHS)
def test_view_is_planned_after_what_it_reads_by(with_z: Deployment, path: str) -> None:
    statements, query = PATHS[path]
    with_z.execute(statements)
    with_z.add_manifest("reporting.a", query)
    for _ in range(2):  # missing, then existing
        assert planned_dependencies(with_z) == {"reporting.a": ["reporting.z"], "reporting.z": []}
        assert with_z.manage("refresh_all").exit_code == 0


def test_view_is_planned_after_what_its_index_reads(with_z: Deployment) -> None:
    with_z.add_manifest("reporting.a", "SELECT id FROM public.src")
    with_z.manage("refresh_all")
    assert planned_dependencies(with_z) == {"reporting.a": [], "reporting.z": []}
    with_z.execute("CREATE INDEX ON reporting.a (public.f(id))")
    assert planned_dependencies(with_z) == {"reporting.a": ["reporting.z"], "reporting.z": []}


@pytest.mark.slow
def test_view_is_refreshed_after_what_a_policy_reads(deployment: Deployment) -> None:
    deployment.execute("CREATE TABLE public.src AS SELECT 1 AS id")
    deployment.add_manifest("reporting.z_allowed", "SELECT id, pg_sleep(0.3)::text AS s FROM public.src")
    deployment.manage("refresh_all")
    sql("CREATE TABLE public.facts AS SELECT generate_series(1, 5) AS id")
    sql("CREATE ROLE h2_owner")
    try:
        sql("ALTER TABLE public.facts OWNER TO h2_owner; ALTER TABLE public.facts ENABLE ROW LEVEL SECURITY")
        sql("CREATE POLICY p ON public.facts USING (id IN (SELECT id FROM reporting.z_allowed))")
        sql("GRANT SELECT ON public.facts TO seeder; GRANT USAGE ON SCHEMA public TO h2_owner")
        deployment.add_manifest("reporting.a_report", "SELECT id FROM public.facts")
        deployment.manage("refresh_all")
        deployment.execute("INSERT INTO public.src VALUES (2), (3)")
        assert planned_dependencies(deployment)["reporting.a_report"] == ["reporting.z_allowed"]
        assert deployment.manage("refresh_all").exit_code == 0
        assert sql("SELECT count(*) FROM reporting.a_report") == [(3,)]
    finally:
        sql("DROP OWNED BY h2_owner CASCADE; DROP ROLE h2_owner")


def test_function_with_text_body_is_reported_until_its_views_are_declared(with_z: Deployment) -> None:
    with_z.execute(
        "CREATE FUNCTION public.opaque() RETURNS bigint LANGUAGE plpgsql AS"
        " 'BEGIN RETURN (SELECT count(*) FROM reporting.z); END'"
    )
    with_z.add_manifest("reporting.a", "SELECT public.opaque() AS n")
    [note] = with_z.manage("refresh_all", "--dry-run", "--json").document["warnings"]
    assert note.startswith("reporting.a in default may start before a view that they read")
    assert note in with_z.manage("refresh_all", "--dry-run").out.replace("\n", " ")
    assert with_z.manage("refresh_all").exit_code == 0
    [(view, found)] = with_z.problems("dependencies_unknown").items()
    assert (view, found["message"]) == ("reporting.a", "It calls public.opaque().")

    query = "-- depends_on: reporting.z, reporting.\nSELECT public.opaque() AS n"
    sql("UPDATE reporting.seeder_custom_report_manifest SET query = %s WHERE table_name = 'reporting.a'", query)
    plan = with_z.manage("refresh_all", "--dry-run", "--json").document
    assert plan["warnings"] == []
    assert planned_dependencies(with_z) == {"reporting.a": ["reporting.z"], "reporting.z": []}
    assert with_z.problems("dependencies_unknown") == {}
    assert with_z.problems("definition_drift") == {}
    [missing] = with_z.problems("declared_dependency_missing").values()
    assert missing["message"] == "It declares a dependency on reporting.."
