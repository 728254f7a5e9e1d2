"""Doctor reports each query that PostgreSQL refuses, and nothing else, as the query's error."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.cases.conftest import Deployment
from tests.conftest import sql

REFUSED = {
    "by_enum": ("SELECT id FROM public.src WHERE s = 'open'", "invalid input value for enum"),
    "by_date": ("SELECT id FROM public.src WHERE now() > '2026-02-30'", "out of range"),
    "by_schema": ("SELECT nosuch.f(id) FROM public.src", 'schema "nosuch" does not exist'),
    "by_database": ("SELECT * FROM otherdb.public.t", "cross-database references"),
    "by_limit": (f"SELECT {', '.join(f'{n} AS c{n}' for n in range(1601))}", "at most 1600 columns"),
    "by_json": ("SELECT '{'::json AS j", "invalid input syntax"),
    "by_syntax": ("SELECT FROM WHERE", "syntax error"),
    "by_name": ("SELECT n FROM public.nosuch", 'relation "public.nosuch" does not exist'),
    "by_own_name": ("SELECT n FROM reporting.by_own_name", 'relation "reporting.by_own_name" does not exist'),
    "by_null": ("SELECT '\\x00'::bytea::text::int2 FROM public.src WHERE s = ''", "invalid input value"),
}


@pytest.fixture
def source(deployment: Deployment) -> None:
    deployment.execute(
        "CREATE TYPE public.state AS ENUM ('open', 'closed'); CREATE TABLE public.src (id int, s public.state);"
        "CREATE MATERIALIZED VIEW reporting.was AS SELECT id FROM public.src WHERE s = 'open';"
        "ALTER TYPE public.state RENAME VALUE 'open' TO 'opened'"
    )


@contextmanager
def event_trigger(body: str) -> Iterator[None]:
    """Run statements of PL/pgSQL at the end of every command, as a superuser's event trigger."""
    sql(f"CREATE FUNCTION public.audit_ddl() RETURNS event_trigger LANGUAGE plpgsql AS $$BEGIN {body} END$$")
    sql("CREATE EVENT TRIGGER audit ON ddl_command_end EXECUTE FUNCTION public.audit_ddl()")
    try:
        yield
    finally:
        sql("DROP EVENT TRIGGER audit")
        sql("DROP FUNCTION public.audit_ddl()")


@pytest.mark.usefixtures("source")
def test_queries_refused_by_any_sqlstate_are_errors(deployment: Deployment) -> None:
    for name, (query, _) in REFUSED.items():
        deployment.add_manifest(f"reporting.{name}", query)
    deployment.add_manifest("reporting.was", REFUSED["by_enum"][0])
    found = deployment.problems("query_refused")
    assert found.keys() == {f"reporting.{name}" for name in REFUSED}
    for name, (_, message) in REFUSED.items():
        assert message in found[f"reporting.{name}"]["message"]
    drift = deployment.problems("definition_drift")
    assert "invalid input value for enum" in drift["reporting.was"]["message"]
    assert not deployment.problems("view_missing")


@pytest.mark.usefixtures("source")
def test_query_of_a_view_that_reads_a_refused_view_is_right(deployment: Deployment) -> None:
    sql("CREATE SCHEMA hidden; CREATE TABLE hidden.t (n int)")
    deployment.add_manifest("reporting.a_forbidden", "SELECT n FROM hidden.t")
    deployment.add_manifest("reporting.b_reads_it", "SELECT n FROM reporting.a_forbidden")
    deployment.add_manifest("reporting.c_reads_b", "SELECT count(*) FROM reporting.b_reads_it")
    deployment.add_manifest("reporting.d_reads_more", "SELECT n FROM reporting.a_forbidden, public.nosuch")
    deployment.add_manifest("reporting.e_reads_no_data", "SELECT n FROM reporting.f_no_data")
    deployment.add_manifest("reporting.f_no_data", "SELECT 1 AS n WITH NO DATA")
    assert deployment.problems("create_forbidden").keys() == {"reporting.a_forbidden"}
    [(subject, refused)] = deployment.problems("query_refused").items()
    assert (subject, refused["message"]) == ("reporting.d_reads_more", 'relation "public.nosuch" does not exist')
    missing = deployment.problems("view_missing")
    waiting = {subject for subject, found in missing.items() if "It reads a view that does not exist" in found["fix"]}
    assert waiting == {f"reporting.{name}" for name in ("b_reads_it", "c_reads_b")}
    assert {"reporting.e_reads_no_data", "reporting.f_no_data"} <= missing.keys()


@pytest.mark.usefixtures("source")
def test_event_trigger_that_refuses_every_view_is_not_the_querys_error(deployment: Deployment) -> None:
    deployment.add_manifest("reporting.good", "SELECT id FROM public.src")
    deployment.add_manifest("reporting.was", "SELECT id FROM public.src WHERE s = 'opened'")
    with event_trigger("RAISE EXCEPTION 'no new objects today';"):
        found = deployment.problems("create_forbidden")["reporting.good"]
        assert found["message"] == "no new objects today"
        assert "audit (function audit_ddl())" in found["fix"]
        unknown = deployment.problems("drift_unknown")["reporting.was"]
        assert "audit (function audit_ddl())" in unknown["fix"]
        assert not deployment.problems("query_refused")
        assert not deployment.problems("definition_drift")


@pytest.mark.usefixtures("source")
def test_unknown_drift_names_the_privilege_that_is_lacking(deployment: Deployment) -> None:
    deployment.add_manifest("reporting.was", "SELECT id FROM public.src WHERE s = 'opened'")
    sql("CREATE TABLE public.ddl_audit (tag text)")
    with event_trigger("INSERT INTO public.ddl_audit VALUES (tg_tag);"):
        found = deployment.problems("drift_unknown")["reporting.was"]
        assert "permission denied for table ddl_audit" in found["message"]
        assert "TEMPORARY" not in found["fix"]
        assert "USAGE" not in found["fix"]
        assert found["sql"] is None
    database = sql("SELECT quote_ident(current_database())")[0][0]
    sql(f"REVOKE TEMPORARY ON DATABASE {database} FROM PUBLIC; DROP TABLE public.ddl_audit")
    try:
        found = deployment.problems("drift_unknown")["reporting.was"]
        assert found["sql"] == f"GRANT TEMPORARY ON DATABASE {database} TO seeder;"
        sql(found["sql"])
        assert not deployment.problems("drift_unknown")
    finally:
        sql(f"REVOKE TEMPORARY ON DATABASE {database} FROM seeder; GRANT TEMPORARY ON DATABASE {database} TO PUBLIC")


@pytest.mark.usefixtures("source")
def test_missing_view_whose_query_fails_when_it_runs_is_not_created_by_the_next_run(deployment: Deployment) -> None:
    deployment.execute(
        "CREATE FUNCTION public.f() RETURNS int LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'no data yet'; END$$;"
        "INSERT INTO public.src VALUES (1, 'opened')"
    )
    deployment.add_manifest("reporting.raises", "SELECT public.f() AS n")
    deployment.add_manifest("reporting.casts", "SELECT (id || 'x')::int AS n FROM public.src")
    assert "next run creates it" in deployment.problems("view_missing")["reporting.raises"]["fix"]
    deployment.manage("refresh_all")
    found = deployment.problems("view_missing")
    assert "Its last refresh failed: no data yet" in found["reporting.raises"]["message"]
    assert "invalid input syntax" in found["reporting.casts"]["message"]
    assert not any("next run creates it" in one["fix"] for one in found.values())
