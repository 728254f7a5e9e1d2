"""The SQL for a view with another definition changes no privilege, comment or option, or names what it loses."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cases.conftest import Deployment
from tests.conftest import another_session, sql

pytestmark = pytest.mark.usefixtures("other_roles")

READERS = "h2_reader", '"Odd ""Role"', "manager"
SOURCE = (
    "CREATE TABLE public.src AS SELECT n AS id, 'x' || n AS name, n * 2 AS salary FROM generate_series(1, 10) AS n;"
)

# By name of the object, everything that a comparison must find unchanged.
CATALOGS = {
    "pg_class": """
        SELECT c.relname, c.relkind, pg_get_userbyid(c.relowner), c.reloptions, toast.reloptions, am.amname, s.spcname,
            c.relreplident, c.relpersistence, c.relispopulated, c.relhasindex,
            ARRAY(SELECT (grantee::regrole, privilege_type, is_grantable)::text
                FROM aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) ORDER BY 1)
        FROM pg_class AS c
        LEFT JOIN pg_class AS toast ON toast.oid = c.reltoastrelid
        LEFT JOIN pg_am AS am ON am.oid = c.relam
        LEFT JOIN pg_tablespace AS s ON s.oid = c.reltablespace
        WHERE c.relnamespace = 'reporting'::regnamespace AND c.relname !~ '^seeder' ORDER BY 1""",
    "pg_attribute": """
        SELECT c.relname, a.attname, a.attstattarget, a.attoptions, a.attstorage, a.attcompression,
            ARRAY(SELECT (grantee::regrole, privilege_type, is_grantable)::text FROM aclexplode(a.attacl) ORDER BY 1)
        FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid
        WHERE c.relnamespace = 'reporting'::regnamespace AND c.relname !~ '^seeder' AND a.attnum > 0
            AND a.attname <> 'one' ORDER BY 1, 2""",
    "pg_description": """
        SELECT o.identity, d.description
        FROM pg_description AS d, pg_identify_object(d.classoid, d.objoid, d.objsubid) AS o
        WHERE o.identity ~ 'reporting' AND o.identity !~ 'seeder' ORDER BY 1""",
    "pg_statistic_ext": """
        SELECT stxname, pg_get_userbyid(stxowner), pg_get_statisticsobjdef(oid), stxstattarget
        FROM pg_statistic_ext ORDER BY 1""",
    "pg_index": """
        SELECT pg_get_indexdef(i.indexrelid), i.indisclustered, i.indisreplident, i.indisvalid, i.indisunique
        FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indrelid
        WHERE c.relnamespace = 'reporting'::regnamespace AND c.relkind = 'm' ORDER BY 1""",
    "pg_depend": """
        SELECT o.identity, e.identity
        FROM pg_depend AS d, pg_identify_object(d.classid, d.objid, 0) AS o,
            pg_identify_object(d.refclassid, d.refobjid, 0) AS e
        WHERE d.deptype = 'x' ORDER BY 1""",
}


@pytest.fixture
def other_roles(deployment: Deployment) -> Iterator[None]:
    """Roles that read views."""
    _drop_roles()
    for role in READERS:
        sql(f"CREATE ROLE {role}")
    yield
    _drop_roles()


def _drop_roles() -> None:
    for role in READERS:
        if sql("SELECT to_regrole(%s)", role) != [(None,)]:
            sql(f"DROP OWNED BY {role} CASCADE")
            sql(f"DROP ROLE {role}")


def catalogs() -> dict[str, list[tuple[Any, ...]]]:
    return {name: sql(query) for name, query in CATALOGS.items()}


def drifted(deployment: Deployment, *views: str) -> dict[str, dict[str, Any]]:
    found = deployment.problems("definition_drift", "--all")
    assert found.keys() == {f"reporting.{view}" for view in views}
    return found


def may_read(role: str, column: str) -> bool:
    return bool(sql("SELECT has_column_privilege(%s, 'reporting.a', %s, 'SELECT')", role, column)[0][0])


def test_same_roles_read_the_same_columns_after_the_pasted_sql(deployment: Deployment) -> None:
    deployment.execute(
        SOURCE + "CREATE MATERIALIZED VIEW reporting.a WITH (fillfactor = 70, autovacuum_enabled = false) AS"
        " SELECT id, name, salary FROM public.src;"
        "GRANT SELECT (id, name) ON reporting.a TO h2_reader;"
        "COMMENT ON MATERIALIZED VIEW reporting.a IS 'read by finance';"
        "ALTER DEFAULT PRIVILEGES IN SCHEMA reporting GRANT SELECT ON TABLES TO PUBLIC;"
        "CREATE MATERIALIZED VIEW reporting.secret AS SELECT id, salary FROM public.src;"
        "REVOKE SELECT ON reporting.secret FROM PUBLIC;"
    )
    deployment.add_manifest("reporting.a", "SELECT id, name, salary, 1 AS one FROM public.src")
    deployment.add_manifest("reporting.secret", "SELECT id, salary, 1 AS one FROM public.src")
    before = catalogs()
    for found in drifted(deployment, "a", "secret").values():
        deployment.execute(found["sql"])
    assert catalogs() == before
    assert [may_read("h2_reader", column) for column in ("id", "name", "salary", "one")] == [True, True, False, False]
    drifted(deployment)


def test_statements_can_be_pasted_from_the_text(deployment: Deployment) -> None:
    deployment.execute(SOURCE + "CREATE MATERIALIZED VIEW reporting.a AS SELECT id FROM public.src")
    deployment.execute("COMMENT ON MATERIALIZED VIEW reporting.a IS E'first\\nsecond; COMMIT'")
    deployment.add_manifest("reporting.a", "SELECT id, 1 AS one FROM public.src;\n-- BEGIN")
    before = catalogs()
    text = deployment.manage("doctor").out
    deployment.execute(text[text.index("\nBEGIN;") : text.index("\nCOMMIT;") + len("\nCOMMIT;")])
    assert catalogs() == before
    drifted(deployment)


UNUSUAL = (Path(__file__).parent / "unusual_grants.sql").read_text(encoding="utf-8")


@pytest.mark.parametrize("user", ["seeder", "postgres"])
def test_unusual_grants_and_options_are_unchanged(deployment: Deployment, user: str) -> None:
    deployment.execute(SOURCE)
    superuser = str(sql("SELECT current_user")[0][0])
    try:
        deployment.execute(UNUSUAL, user=superuser)
        deployment.add_manifest(
            'reporting."A b"', 'SELECT id, name, salary AS "Pay, gross", 1 AS one FROM public.src -- x'
        )
        before = catalogs()
        found = drifted(deployment, '"A b"')['reporting."A b"']
        deployment.execute(found["sql"], user="seeder" if user == "seeder" else superuser)
        assert catalogs() == before
        drifted(deployment)
    finally:
        sql("ALTER DEFAULT PRIVILEGES REVOKE SELECT ON TABLES FROM PUBLIC")
        sql('DROP MATERIALIZED VIEW IF EXISTS reporting."A b"; DROP ACCESS METHOD IF EXISTS "Heap 2"')


def test_tablespaces_of_view_and_index_are_unchanged(deployment: Deployment) -> None:
    deployment.execute(SOURCE)
    with another_session() as session:
        session.execute("SET allow_in_place_tablespaces = on")
        session.execute("CREATE TABLESPACE test_space LOCATION ''")
    try:
        sql("GRANT CREATE ON TABLESPACE test_space TO seeder")
        deployment.execute(
            "CREATE MATERIALIZED VIEW reporting.a TABLESPACE test_space AS SELECT id FROM public.src;"
            "CREATE INDEX i ON reporting.a (id) TABLESPACE test_space;"
        )
        deployment.add_manifest("reporting.a", "SELECT id, 1 AS one FROM public.src")
        before = catalogs()
        found = drifted(deployment, "a")["reporting.a"]
        deployment.execute(found["sql"])
        assert catalogs() == before
        sql("REVOKE CREATE ON TABLESPACE test_space FROM seeder")
        sql("UPDATE reporting.seeder_custom_report_manifest SET query = 'SELECT id FROM public.src'")
        assert (
            "seeder needs USAGE and CREATE there meanwhile: TABLESPACE test_space."
            in (drifted(deployment, "a")["reporting.a"]["fix"])
        )
    finally:
        sql("DROP MATERIALIZED VIEW IF EXISTS reporting.a")
        sql("DROP TABLESPACE test_space")


def test_text_names_what_a_missing_column_loses(deployment: Deployment) -> None:
    deployment.execute(
        SOURCE + "CREATE MATERIALIZED VIEW reporting.a AS SELECT id, name, salary FROM public.src;"
        "CREATE INDEX i ON reporting.a (id); CREATE INDEX s ON reporting.a (id, (salary + 1));"
        "CREATE STATISTICS reporting.t ON id, salary FROM reporting.a;"
        "COMMENT ON COLUMN reporting.a.salary IS 'gross'; GRANT SELECT (id, salary) ON reporting.a TO h2_reader;"
    )
    deployment.add_manifest("reporting.a", "SELECT id, name FROM public.src")
    found = drifted(deployment, "a")["reporting.a"]
    assert "Lost, because the query has no column salary: " in found["fix"]
    for lost in (
        "CREATE INDEX s ON reporting.a USING btree (id, ((salary + 1)))",
        "CREATE STATISTICS reporting.t ON id, salary FROM reporting.a",
        "COMMENT ON COLUMN reporting.a.salary IS 'gross'",
        "GRANT SELECT (salary) ON reporting.a TO h2_reader",
    ):
        assert lost in found["fix"]
        assert lost not in found["sql"]
    deployment.execute(found["sql"])
    assert [may_read("h2_reader", column) for column in ("id", "name")] == [True, False]


def test_text_names_other_grantors_invalid_indexes_and_statistics_of_others(deployment: Deployment) -> None:
    deployment.execute(
        SOURCE + "CREATE MATERIALIZED VIEW reporting.a AS SELECT id, name FROM public.src;"
        "CREATE INDEX i ON reporting.a (id); GRANT SELECT ON reporting.a TO manager WITH GRANT OPTION"
    )
    sql("GRANT USAGE ON SCHEMA reporting TO manager")
    sql("SET ROLE manager; GRANT SELECT ON reporting.a TO h2_reader; RESET ROLE")
    sql("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'reporting.i'::regclass")
    sql("CREATE STATISTICS reporting.s ON id, name FROM reporting.a")
    deployment.add_manifest("reporting.a", "SELECT id, name, 1 AS one FROM public.src")
    found = drifted(deployment, "a")["reporting.a"]
    assert "Grants by manager become grants by seeder." in found["fix"]
    assert "Invalid indexes are lost: reporting.i." in found["fix"]
    assert "These statistics then belong to seeder: reporting.s." in found["fix"]
    before = catalogs()["pg_class"][0]
    deployment.execute(found["sql"])
    assert catalogs()["pg_class"][0][-1] == before[-1]


def test_dependents_are_named_and_unchanged(deployment: Deployment) -> None:
    deployment.execute(
        SOURCE + "CREATE MATERIALIZED VIEW reporting.a AS SELECT id, name FROM public.src;"
        "CREATE VIEW reporting.v AS SELECT id FROM reporting.a; GRANT SELECT ON reporting.v TO h2_reader;"
        "CREATE MATERIALIZED VIEW reporting.m AS SELECT id FROM reporting.v;"
        "CREATE FUNCTION reporting.f() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT count(*) FROM reporting.m; END;"
        "CREATE FUNCTION reporting.g(reporting.a) RETURNS bigint LANGUAGE sql AS 'SELECT 1::bigint';"
    )
    deployment.add_manifest("reporting.a", "SELECT id, name, 1 AS one FROM public.src")
    found = drifted(deployment, "a")["reporting.a"]
    assert (
        "First drop what depends on it, and create it again afterwards: function reporting.f(), function"
        " reporting.g(reporting.a), materialized view reporting.m, view reporting.v."
    ) in found["fix"]
    before = catalogs()
    with pytest.raises(Exception, match="depend"):
        deployment.execute(found["sql"])
    assert catalogs() == before


def test_pasted_sql_reads_what_the_owner_may_read(deployment: Deployment) -> None:
    """A superuser's rights and search_path have no effect."""
    deployment.execute(SOURCE + "CREATE MATERIALIZED VIEW reporting.a AS SELECT id FROM public.src")
    sql("CREATE SCHEMA hidden; CREATE TABLE hidden.t AS SELECT 1 AS id; GRANT USAGE ON SCHEMA hidden TO seeder")
    superuser = str(sql("SELECT current_user")[0][0])
    deployment.add_manifest("reporting.a", "SELECT id, 1 AS one FROM hidden.t")
    pasted = drifted(deployment, "a")["reporting.a"]["sql"]
    with pytest.raises(Exception, match="permission denied"):
        deployment.execute(pasted, user=superuser)
    sql("UPDATE reporting.seeder_custom_report_manifest SET query = 'SELECT id, 1 AS one FROM src'")
    sql("CREATE TABLE hidden.src AS SELECT 99 AS id; GRANT SELECT ON hidden.src TO seeder")
    pasted = drifted(deployment, "a")["reporting.a"]["sql"]
    deployment.execute(f"SET search_path = hidden; {pasted}", user=superuser)
    assert sql("SELECT count(*) FROM reporting.a") == [(10,)]


def test_security_labels_are_restored(deployment: Deployment) -> None:
    deployment.execute(SOURCE + "CREATE MATERIALIZED VIEW reporting.a AS SELECT id FROM public.src")
    sql(
        "SET allow_system_table_mods = on; INSERT INTO pg_seclabel VALUES"
        " ('reporting.a'::regclass, 'pg_class'::regclass, 0, 'dummy', 'secret'),"
        " ('reporting.a'::regclass, 'pg_class'::regclass, 1, 'dummy', 'a''b'); RESET allow_system_table_mods"
    )
    deployment.add_manifest("reporting.a", "SELECT id, 1 AS one FROM public.src")
    pasted = drifted(deployment, "a")["reporting.a"]["sql"]
    assert "SECURITY LABEL FOR dummy ON MATERIALIZED VIEW reporting.a IS 'secret';" in pasted
    assert "SECURITY LABEL FOR dummy ON COLUMN reporting.a.id IS 'a''b';" in pasted
    sql("SET allow_system_table_mods = on; DELETE FROM pg_seclabel; RESET allow_system_table_mods")


def test_usual_view_needs_no_grants(deployment: Deployment) -> None:
    deployment.execute(SOURCE + "CREATE MATERIALIZED VIEW reporting.a AS SELECT id FROM public.src")
    deployment.add_manifest("reporting.a", "SELECT id, 1 AS one FROM public.src")
    assert drifted(deployment, "a")["reporting.a"]["sql"].splitlines() == [
        "BEGIN;",
        "SET LOCAL ROLE seeder;",
        "SET LOCAL search_path = public;",
        "DROP MATERIALIZED VIEW reporting.a;",
        "CREATE MATERIALIZED VIEW reporting.a AS",
        "SELECT id, 1 AS one FROM public.src",
        ";",
        "COMMIT;",
    ]
