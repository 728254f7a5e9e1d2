"""Fixtures for tests of loads: empty tables of the loading lane, beside the contract's."""

import pytest

from tests.conftest import sql

_TABLES = "load_change, load_reject, load_refresh, load_request, load_event, load_log, load_total"


@pytest.fixture
def load_tables(contract_tables: None) -> None:
    """The tables of the loading lane, empty, with ids from 1, and no other table in the schema public of the test."""
    forget_loads()
    sql("DROP SCHEMA IF EXISTS landing CASCADE; CREATE SCHEMA landing")


def forget_loads() -> None:
    """Empty the tables of the loading lane. A replica's triggers do not fire, so the audit can be emptied."""
    sql(f"SET session_replication_role = replica; TRUNCATE {_TABLES} RESTART IDENTITY; RESET session_replication_role")
