"""Checks of the server and the role, at their limits."""

import pytest

from seeder.postgres import doctor_queries
from seeder.services.doctor.check_types import CheckedDatabase
from seeder.services.doctor.checks import server_and_role, statement_statistics
from tests.unit.services.doctor_values import GOOD_SERVER, checked_database


def found(lock_timeout_ms: int = 1001, *, alias: str = "default", **facts: object) -> list[str]:
    server = GOOD_SERVER._replace(**facts)  # type: ignore[arg-type]  # any field
    database = checked_database(server, alias=alias, lock_timeout_ms=lock_timeout_ms)
    return [diagnosis.problem.name for diagnosis in server_and_role.check(database)]


def read_only_database(**facts: bool) -> CheckedDatabase:
    return checked_database(GOOD_SERVER._replace(**facts))  # type: ignore[arg-type]  # any field


@pytest.mark.parametrize(
    ("version", "problems"),
    [
        (140012, ["server_unsupported"]),
        (150005, ["server_unpatched"]),
        (150006, []),
        (160001, ["server_unpatched"]),
        (160002, []),
        (170000, []),
        (180006, []),
    ],
)
def test_version_is_checked_by_major_and_minor_number(version: int, problems: list[str]) -> None:
    assert found(version_num=version) == problems


def test_lock_timeout_at_deadlock_timeout_is_too_low() -> None:
    assert found(lock_timeout_ms=1001) == []
    assert found(lock_timeout_ms=1000) == ["lock_timeout_low"]


def test_connection_limits_below_need_of_a_run_are_found() -> None:
    assert found(max_connections=11) == ["too_few_connections"]
    assert found(reserved_connections=4) == ["too_few_connections"]
    assert found(role_connection_limit=9, database_connection_limit=9) == []
    assert found(role_connection_limit=8, database_connection_limit=0) == ["too_few_connections"] * 2
    assert found(role_connection_limit=8, is_superuser=True) == ["role_superuser"], "it does not apply to superusers"


def test_idle_session_timeout_above_ten_seconds_is_accepted() -> None:
    assert found(idle_session_timeout_ms=10_000) == ["idle_session_timeout"]
    assert found(idle_session_timeout_ms=10_001) == []


def test_pooled_sessions_are_found_only_on_the_default_database() -> None:
    assert found(is_pooled=True) == ["sessions_pooled"]
    assert found(is_pooled=True, alias="archive") == []


def test_read_only_role_has_a_statement_and_a_standby_has_none() -> None:
    [standby] = server_and_role.check(read_only_database(is_standby=True))
    [read_only] = server_and_role.check(read_only_database(is_read_only=True))
    assert (standby.problem.name, standby.sql) == ("read_only", "")
    assert read_only.sql.splitlines()[1] == (
        'ALTER ROLE "The seeder" IN DATABASE reports SET default_transaction_read_only = off;'
    )


def test_server_without_contrib_modules_has_no_statement(monkeypatch: pytest.MonkeyPatch) -> None:
    """CREATE EXTENSION would fail, and a preloaded library prevents the start."""
    row = (False, False, False, False, False, None, "")
    monkeypatch.setattr(doctor_queries, "read", lambda *_: [row])
    [found] = statement_statistics.check(checked_database())
    assert (found.problem.name, found.sql) == ("pg_stat_statements_missing", "")
    assert "contrib" in found.fix
