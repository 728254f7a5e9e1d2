"""What is wrong with a server, to the edges."""

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


def found(lock_timeout: int = 1001, *, holds_history: bool = True, **differently: object) -> list[str]:
    server = replace(GOOD, **differently)  # type: ignore[arg-type]  # whichever field the test is about
    facts = check_server(
        server, "default", lock_timeout_ms=lock_timeout, required_connections=9, is_history_database=holds_history
    )
    return [str(one.problem) for one in facts]


@pytest.mark.parametrize(
    ("version", "word"),
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
def test_a_version_is_judged_by_its_major_and_its_minor_number(version: int, word: list[str]) -> None:
    assert found(version_num=version) == word


def test_a_lock_timeout_has_to_be_above_the_deadlock_timeout() -> None:
    assert found(lock_timeout=1001) == []
    assert found(lock_timeout=1000) == ["lock_timeout_low"]


def test_a_run_wants_as_many_connections_as_any_limit_lets_it_have() -> None:
    assert found(max_connections=11) == ["too_few_connections"]
    assert found(reserved_connections=4) == ["too_few_connections"]
    assert found(role_connection_limit=9, database_connection_limit=9) == []
    assert found(role_connection_limit=8, database_connection_limit=0) == ["too_few_connections"] * 2
    assert found(role_connection_limit=8, is_superuser=True) == ["role_superuser"], "it is not for superusers"


def test_a_session_that_shows_life_every_five_seconds_outlives_an_idle_limit_above_ten() -> None:
    assert found(idle_session_timeout_ms=10_000) == ["idle_session_timeout"]
    assert found(idle_session_timeout_ms=10_001) == []


def test_sessions_matter_where_runs_are_recorded() -> None:
    assert found(is_pooled=True) == ["sessions_pooled"]
    assert found(is_pooled=True, holds_history=False) == []


def test_a_standby_is_not_put_right_by_a_setting_and_a_read_only_role_is() -> None:
    [standby] = check_server(
        replace(GOOD, is_standby=True), "x", lock_timeout_ms=1001, required_connections=9, is_history_database=True
    )
    [locked] = check_server(
        replace(GOOD, is_read_only=True), "x", lock_timeout_ms=1001, required_connections=9, is_history_database=True
    )
    assert (standby.problem, standby.sql) == ("read_only", "")
    assert locked.sql.splitlines()[1] == (
        'ALTER ROLE "The seeder" IN DATABASE reports SET default_transaction_read_only = off;'
    )
