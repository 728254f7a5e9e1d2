"""Problems of a server, at the exact limits."""

from dataclasses import replace

import pytest

from seeder.domain.doctor.server_rules import ServerFacts, check_server

GOOD = ServerFacts(
    version_num=150006,
    version_text="15.6",
    role='"The seeder"',
    database="reports",
    is_superuser=False,
    is_standby=False,
    is_read_only=False,
    is_pooled=False,
    deadlock_timeout_ms=1000,
    transaction_timeout_ms=0,
    idle_session_timeout_ms=0,
    max_connections=12,
    reserved_connections=3,
    role_connection_limit=-1,
    database_connection_limit=-1,
)


def problems_of(lock_timeout: int = 1001, *, holds_history: bool = True, **changes: object) -> list[str]:
    server = replace(GOOD, **changes)  # type: ignore[arg-type]  # any field of ServerFacts
    facts = check_server(
        server, "default", lock_timeout_ms=lock_timeout, required_connections=9, is_history_database=holds_history
    )
    return [str(problem.problem) for problem in facts]


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
def test_server_version_is_checked_by_major_and_minor(version: int, problems: list[str]) -> None:
    assert problems_of(version_num=version) == problems


def test_lock_timeout_must_exceed_the_deadlock_timeout() -> None:
    assert problems_of(lock_timeout=1001) == []
    assert problems_of(lock_timeout=1000) == ["lock_timeout_low"]


def test_run_needs_its_connections_below_every_limit() -> None:
    assert problems_of(max_connections=11) == ["too_few_connections"]
    assert problems_of(reserved_connections=4) == ["too_few_connections"]
    assert problems_of(role_connection_limit=9, database_connection_limit=9) == []
    assert problems_of(role_connection_limit=8, database_connection_limit=0) == ["too_few_connections"] * 2
    assert problems_of(role_connection_limit=8, is_superuser=True) == ["role_superuser"], (
        "the limit does not apply to superusers"
    )


def test_idle_limit_above_ten_seconds_is_accepted() -> None:
    assert problems_of(idle_session_timeout_ms=10_000) == ["idle_session_timeout"]
    assert problems_of(idle_session_timeout_ms=10_001) == []


def test_pooled_sessions_matter_only_in_the_history_database() -> None:
    assert problems_of(is_pooled=True) == ["sessions_pooled"]
    assert problems_of(is_pooled=True, holds_history=False) == []


def test_read_only_role_has_a_fix_and_a_standby_has_none() -> None:
    [standby] = check_server(
        replace(GOOD, is_standby=True), "x", lock_timeout_ms=1001, required_connections=9, is_history_database=True
    )
    [read_only] = check_server(
        replace(GOOD, is_read_only=True), "x", lock_timeout_ms=1001, required_connections=9, is_history_database=True
    )
    assert (standby.problem, standby.sql) == ("read_only", "")
    assert read_only.sql.splitlines()[1] == (
        'ALTER ROLE "The seeder" IN DATABASE reports SET default_transaction_read_only = off;'
    )
