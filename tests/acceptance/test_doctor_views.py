"""The doctor checks views and their sources, and changes nothing."""

from time import monotonic
from typing import Any

import pytest

from tests.acceptance.doctor_database import (
    OWNER,
    ROLE,
    VIEW,
    Doctor,
    Manage,
    execute_as_owner,
    manifest,
    names,
    only,
)
from tests.conftest import another_session, sql

pytestmark = pytest.mark.usefixtures("healthy_database")

CLOSED = "SELECT n FROM closed.source"


def test_recreated_view_keeps_indexes_owner_and_grants(doctor: Doctor) -> None:
    execute_as_owner(
        VIEW + f"GRANT SELECT ON reporting.a TO PUBLIC; GRANT SELECT ON reporting.a TO {OWNER} WITH GRANT OPTION;"
    )
    execute_as_owner(
        "UPDATE reporting.seeder_custom_report_manifest SET query = 'SELECT n + 1 AS n FROM reporting.source;'"
    )
    execute_as_owner("DELETE FROM reporting.seeder_custom_report_manifest WHERE table_name <> 'reporting.a'")
    kept = "SELECT relowner::regrole::text, relacl::text, (SELECT array_agg(pg_get_indexdef(indexrelid)) FROM pg_index"
    kept += " WHERE indrelid = c.oid) FROM pg_class AS c WHERE oid = 'reporting.a'::regclass"
    before = sql(kept)
    execute_as_owner(only(doctor(), "definition_drift")["sql"])
    assert sql(kept) == before
    assert sql("SELECT n FROM reporting.a") == [(2,)]


def test_closed_source_schema_is_found_for_missing_and_existing_views(doctor: Doctor) -> None:
    execute_as_owner(
        "CREATE SCHEMA closed; CREATE TABLE closed.source AS SELECT 1 AS n;" + manifest("reporting.a", CLOSED)
    )
    found = doctor()
    assert "permission denied for schema closed" in only(found, "create_forbidden")["message"]
    assert "view_missing" not in names(found)
    execute_as_owner(f"CREATE MATERIALIZED VIEW reporting.a AS {CLOSED}; CREATE UNIQUE INDEX ON reporting.a (n)")
    assert "permission denied for schema closed" in only(doctor(), "drift_unknown")["message"]


def test_second_query_with_closed_source_is_ignored_for_a_missing_view(doctor: Doctor) -> None:
    execute_as_owner("CREATE SCHEMA closed; CREATE TABLE closed.source AS SELECT 1 AS n;")
    execute_as_owner(manifest("reporting.a") + manifest("reporting.a", CLOSED))
    assert names(doctor()) == {"view_missing"}


def test_query_from_a_web_form_is_printed_unchanged(manage: Manage) -> None:
    query = "SELECT 1 AS n,\r\n\t'1\xa0000' AS figure"
    execute_as_owner(
        "CREATE MATERIALIZED VIEW reporting.a AS SELECT 1 AS n, '' AS figure;" + manifest("reporting.a", query)
    )
    assert f"\nCREATE MATERIALIZED VIEW reporting.a AS\n{query}\n;\n".replace("\r", "") in manage("doctor").out


def test_different_queries_for_one_view_are_reported_as_such(doctor: Doctor) -> None:
    execute_as_owner(VIEW + manifest("reporting.a", "SELECT 7 AS n"))
    found = only(doctor(), "definition_drift")
    assert "different queries" in found["fix"]
    assert found["sql"] is None


def test_rejected_query_of_an_existing_view_is_drift_with_the_error(doctor: Doctor) -> None:
    execute_as_owner(
        VIEW + "UPDATE reporting.seeder_custom_report_manifest SET query = 'SELECT gone' WHERE table_name ~ 'a'"
    )
    found = only(doctor(), "definition_drift")
    assert 'column "gone" does not exist' in found["message"]
    assert found["sql"] is None


def test_privilege_on_columns_is_enough_to_read_a_source(doctor: Doctor) -> None:
    execute_as_owner(
        VIEW + f"REVOKE SELECT ON reporting.source FROM {ROLE}; GRANT SELECT (n) ON reporting.source TO {ROLE}"
    )
    assert doctor() == []


def test_plain_view_is_read_as_its_owner_unless_it_is_an_invoker_view(doctor: Doctor) -> None:
    execute_as_owner(
        VIEW + f"REVOKE ALL ON reporting.source FROM {ROLE}, {OWNER};"
        " CREATE VIEW reporting.between AS SELECT n FROM reporting.source;"
        f" ALTER VIEW reporting.between OWNER TO {OWNER}; GRANT SELECT ON reporting.between TO {ROLE};"
        " DROP MATERIALIZED VIEW reporting.a; CREATE MATERIALIZED VIEW reporting.a AS SELECT n FROM reporting.between"
        " WITH NO DATA;"
        f" CREATE UNIQUE INDEX ON reporting.a (n); ALTER MATERIALIZED VIEW reporting.a OWNER TO {ROLE}"
    )
    found = only(doctor("--without-drift"), "source_forbidden")
    assert found["sql"] == f"GRANT SELECT ON reporting.source TO {OWNER};"
    execute_as_owner("ALTER VIEW reporting.between SET (security_invoker = on)")
    found = only(doctor("--without-drift"), "source_forbidden")
    assert found["sql"] == f"GRANT SELECT ON reporting.source TO {ROLE};"


def test_doctor_does_not_wait_for_a_refresh(doctor: Doctor) -> None:
    execute_as_owner(VIEW + manifest("reporting.b", "SELECT n FROM reporting.a") + manifest("a.b.c"))
    with another_session() as refresh:
        refresh.execute("BEGIN; REFRESH MATERIALIZED VIEW reporting.a")
        started_at = monotonic()
        found = doctor()
        duration = monotonic() - started_at
    assert only(found, "drift_unknown")["subject"] == "reporting.a"
    assert only(found, "bad_name")
    assert duration < 10, "seconds, most of them the start of a process"
    assert "drift_unknown" not in names(doctor())


def test_doctor_changes_nothing_and_works_for_a_read_only_role(doctor: Doctor) -> None:
    execute_as_owner(VIEW + manifest("reporting.b") + manifest("a.b.c") + "DROP INDEX reporting.a_n")
    before = all_rows()
    found = names(doctor())
    assert all_rows() == before
    execute_as_owner(f"ALTER ROLE {ROLE} SET default_transaction_read_only = on")
    assert names(doctor()) == found | {"read_only"}


def all_rows() -> list[tuple[Any, ...]]:
    """Return digests of catalogs and tables with the writing transactions."""
    catalogs = ("pg_class", "pg_attribute", "pg_proc", "pg_rewrite", "pg_depend", "pg_namespace", "pg_type", "pg_index")
    user_tables = (
        "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname IN ('reporting', 'public')"
    )
    rows = []
    for table in (*catalogs, *(name for (name,) in sql(user_tables))):
        # Columns that VACUUM and ANALYZE do not change.
        columns = "oid, relname, relfilenode, relacl" if table == "pg_class" else "t.xmin, t"
        row = f"ROW ({columns})::text"
        rows += sql(f"SELECT '{table}', count(*), md5(string_agg({row}, '' ORDER BY {row})) FROM {table} AS t")
    return rows
