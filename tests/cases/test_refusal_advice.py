"""The advice after a refusal fits its cause, which the SQLSTATE alone does not tell."""

from collections.abc import Iterator

import pytest

from tests.cases.conftest import Deployment
from tests.conftest import server_major_version, sql

TEMP_TABLE = (
    "CREATE FUNCTION public.tmp() RETURNS SETOF int LANGUAGE plpgsql AS"
    " $$BEGIN CREATE TEMP TABLE x AS SELECT 1 AS n; RETURN QUERY SELECT n FROM x; END$$;"
)
OLD = "CREATE TABLE public.src AS SELECT 1 AS n; CREATE MATERIALIZED VIEW reporting.old AS SELECT n FROM public.src;"


@pytest.fixture
def audit(deployment: Deployment) -> Iterator[None]:
    """A view, and an event trigger that writes a log which its users may not write."""
    deployment.execute(OLD)
    deployment.add_manifest("reporting.old", "SELECT n FROM public.src")
    sql("CREATE TABLE public.ddl_audit (role text UNIQUE, tag text)")
    sql(
        "CREATE FUNCTION public.audit_ddl() RETURNS event_trigger LANGUAGE plpgsql AS"
        " $$BEGIN INSERT INTO public.ddl_audit VALUES (current_user, tg_tag); END$$"
    )
    sql("CREATE EVENT TRIGGER audit ON ddl_command_end EXECUTE FUNCTION public.audit_ddl()")
    yield
    sql("DROP EVENT TRIGGER audit")
    sql("DROP FUNCTION public.audit_ddl()")
    sql("DROP TABLE IF EXISTS public.ddl_audit")


def errors_of(deployment: Deployment, view: str, **environment: str) -> str:
    """Refresh a view, and return what its history says."""
    assert deployment.manage("refresh_table", f"reporting.{view}", **environment).exit_code == 1
    return str(sql("SELECT errors FROM reporting.seeder_run_history ORDER BY id DESC LIMIT 1")[0][0])


def advice(deployment: Deployment, view: str, **environment: str) -> str:
    """Return the last line of the errors: what to do."""
    return errors_of(deployment, view, **environment).splitlines()[-1]


@pytest.mark.parametrize("exists", [False, True])
def test_temporary_table_in_a_function_is_not_a_missing_grant(deployment: Deployment, *, exists: bool) -> None:
    deployment.execute(TEMP_TABLE)
    if exists:
        deployment.execute("CREATE MATERIALIZED VIEW reporting.tmp AS SELECT * FROM public.tmp() AS n WITH NO DATA")
    deployment.add_manifest("reporting.tmp", "SELECT * FROM public.tmp() AS n")
    found = advice(deployment, "tmp")
    assert "security-restricted operation: a function of the view may not create temporary tables" in found
    assert "GRANT" not in found


@pytest.mark.usefixtures("audit")
def test_refusal_in_an_event_trigger_names_it(deployment: Deployment) -> None:
    found = advice(deployment, "old")
    assert "audit (function audit_ddl())" in found
    assert "grant seeder the privilege, such as INSERT" in found
    for wrong in ("MAINTAIN", "SELECT", "temporary"):
        assert wrong not in found
    sql("GRANT INSERT ON public.ddl_audit TO seeder")
    assert deployment.manage("refresh_table", "reporting.old").exit_code == 0
    assert "unique index of the view" not in errors_of(deployment, "old"), "the log's key, not the view's"


@pytest.mark.usefixtures("audit")
def test_missing_table_in_an_event_trigger_is_not_the_views_function(deployment: Deployment) -> None:
    sql("ALTER EVENT TRIGGER audit DISABLE; DROP TABLE public.ddl_audit; ALTER EVENT TRIGGER audit ENABLE")
    found = advice(deployment, "old")
    assert "audit (function audit_ddl())" in found
    assert "search_path" not in found


def test_function_that_sets_the_role_is_restricted(deployment: Deployment) -> None:
    deployment.execute(
        "CREATE FUNCTION public.f() RETURNS int LANGUAGE plpgsql AS $$BEGIN SET ROLE seeder; RETURN 1; END$$;"
        "CREATE MATERIALIZED VIEW reporting.old AS SELECT public.f() AS n WITH NO DATA"
    )
    deployment.add_manifest("reporting.old", "SELECT public.f() AS n")
    assert "security-restricted operation" in advice(deployment, "old")


def test_missing_privilege_names_the_grant(deployment: Deployment) -> None:
    deployment.execute(OLD + "CREATE FUNCTION public.f(int) RETURNS int LANGUAGE sql AS 'SELECT 1';")
    deployment.execute("CREATE MATERIALIZED VIEW reporting.f AS SELECT public.f(n) FROM public.src;")
    for view, query in (("old", "SELECT n FROM public.src"), ("f", "SELECT public.f(n) FROM public.src")):
        deployment.add_manifest(f"reporting.{view}", query)
    sql("REVOKE EXECUTE ON FUNCTION public.f(int) FROM PUBLIC, seeder")
    assert "GRANT EXECUTE ON FUNCTION public.f(integer) TO seeder" in advice(deployment, "f")
    sql("REVOKE ALL ON public.src FROM seeder")
    assert "GRANT SELECT ON public.src TO seeder." in advice(deployment, "old")
    assert "MAINTAIN" not in advice(deployment, "old")


def test_view_of_another_owner_names_the_privilege_to_refresh(deployment: Deployment) -> None:
    deployment.execute(OLD)
    deployment.add_manifest("reporting.old", "SELECT n FROM public.src")
    sql("ALTER MATERIALIZED VIEW reporting.old OWNER TO CURRENT_USER; GRANT SELECT ON reporting.old TO seeder")
    expected = (
        "GRANT MAINTAIN ON reporting.old TO seeder."
        if server_major_version() >= 17
        else "ALTER MATERIALIZED VIEW reporting.old OWNER TO seeder."
    )
    assert expected in advice(deployment, "old")


def test_owner_without_temporary_tables_cannot_refresh_concurrently(deployment: Deployment) -> None:
    deployment.execute(OLD + "CREATE UNIQUE INDEX ON reporting.old (n)")
    deployment.add_manifest("reporting.old", "SELECT n FROM public.src")
    database = sql("SELECT quote_ident(current_database())")[0][0]
    sql(f"REVOKE TEMPORARY ON DATABASE {database} FROM PUBLIC")
    try:
        found = advice(deployment, "old", SEEDER_REFRESH_CONCURRENTLY="true")
        assert f"GRANT TEMPORARY ON DATABASE {database} TO seeder." in found
    finally:
        sql(f"GRANT TEMPORARY ON DATABASE {database} TO PUBLIC")


def test_missing_name_in_the_query_of_a_new_view_needs_no_search_path(deployment: Deployment) -> None:
    deployment.add_manifest("reporting.new", "SELECT n FROM public.nosuch")
    assert "search_path" not in errors_of(deployment, "new")


def test_missing_name_in_a_function_of_a_new_view_names_the_search_path(deployment: Deployment) -> None:
    deployment.execute(
        "SET check_function_bodies = off;"
        "CREATE FUNCTION public.f() RETURNS bigint LANGUAGE sql AS 'SELECT n FROM reporting.nosuch';"
    )
    deployment.add_manifest("reporting.new", "SELECT public.f() AS n")
    assert "search_path" in advice(deployment, "new")


def test_subquery_with_several_rows_is_not_a_concurrent_refresh(deployment: Deployment) -> None:
    deployment.add_manifest("reporting.new", "SELECT (SELECT n FROM generate_series(1, 2) AS n) AS n")
    assert "CONCURRENTLY" not in errors_of(deployment, "new")
    assert "CONCURRENTLY" in errors_of(deployment, "new", SEEDER_REFRESH_CONCURRENTLY="true")
