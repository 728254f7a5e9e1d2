"""Fixtures for tests of loads: empty tables of the loading lane, beside the contract's."""

import pytest

from tests.conftest import sql

_TABLES = ("load_change", "load_reject", "load_refresh", "load_request", "load_event", "load_log", "load_total")
_MAX_BYTES = 1_000_000  # of a table, with dead rows


@pytest.fixture
def load_tables(contract_tables: None) -> None:
    """The tables of the loading lane, empty, with ids from 1, and no other table in the schema public of the test."""
    forget_loads()
    sql("DROP SCHEMA IF EXISTS landing CASCADE; CREATE SCHEMA landing")


def forget_loads() -> None:
    """Empty the tables of the loading lane. A replica's triggers do not fire, so the audit can be emptied."""
    sql("SET session_replication_role = replica")
    empty_tables(*_TABLES)
    sql("RESET session_replication_role")


def empty_tables(*names: str) -> None:
    """Delete all rows, and begin ids with 1. TRUNCATE takes ten times as long for small tables."""
    tables = "'{" + ", ".join(names) + "}'::regclass[]"
    [(size,)] = sql(f"SELECT max(pg_relation_size(oid)) FROM unnest({tables}) AS oid")
    if int(size) > _MAX_BYTES:
        sql(f"TRUNCATE {', '.join(names)} RESTART IDENTITY")
        return
    sql("; ".join(f"DELETE FROM {name}" for name in names))
    sql(
        "SELECT setval(pg_get_serial_sequence(attrelid::regclass::text, attname), 1, false) FROM pg_attribute"
        f" WHERE attrelid = ANY ({tables}) AND attidentity <> ''"
    )
