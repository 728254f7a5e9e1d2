"""Runs through PgBouncer and other proxies. Session locks need a proxy that keeps a client's session.

PgBouncer invents the process id in its greeting in every mode, so that only its behaviour tells.
"""

from collections.abc import Callable
from struct import pack
from typing import Any

import psycopg
import pytest

from seeder.models import RunHistory
from tests.conftest import CompletedCommand, create_custom_manifest, sql
from tests.pgbouncer import pgbouncer
from tests.server_proxy import proxy_to_server

pytestmark = pytest.mark.usefixtures("contract_tables")
Manage = Callable[..., CompletedCommand]

# BackendKeyData in the frontend/backend protocol: its letter, the length, then the pid.
_KEY_DATA = b"K" + pack("!i", 12)


def invent_a_pid(data: bytes) -> bytes:
    at = data.find(_KEY_DATA)
    return data if at < 0 else data[: at + 5] + pack("!i", 4711) + data[at + 9 :]


def assert_refused(ended: CompletedCommand) -> None:
    assert (ended.exit_code, ended.out) == (2, "")
    assert ended.err.startswith("CommandError: DATABASES['default'] connects through a proxy that pools transactions")
    assert len(ended.err.splitlines()) == 1
    assert sql("SELECT 1 FROM reporting.seeder_run_history") == []


@pytest.mark.parametrize("pool_mode", ["transaction", "statement"])
def test_pgbouncer_that_shares_sessions_is_refused(manage: Manage, pool_mode: str) -> None:
    create_custom_manifest("reporting.a", "SELECT 1 AS n")
    with pgbouncer(pool_mode) as address:
        for _ in range(2):
            assert_refused(manage("refresh_all", **address))


def test_pgbouncer_with_idle_sessions_that_shares_them_is_refused(manage: Manage) -> None:
    create_custom_manifest("reporting.a", "SELECT 1 AS n")
    with pgbouncer("transaction", server_round_robin=1) as address:
        _open_idle_sessions(address, 5)
        assert_refused(manage("refresh_all", **address))


def test_pgbouncer_that_shares_its_only_session_is_refused(manage: Manage) -> None:
    create_custom_manifest("reporting.a", "SELECT 1 AS n")
    with pgbouncer("transaction", default_pool_size=1) as address:
        assert_refused(manage("refresh_all", **address))


def test_pgbouncer_that_pools_sessions_is_accepted(manage: Manage) -> None:
    for name in "abc":
        create_custom_manifest(f"reporting.{name}", "SELECT 1 AS n")
    with pgbouncer("session") as address:
        _open_idle_sessions(address, 3)
        ended = manage("refresh_all", SEEDER_MAX_WORKERS="2", **address)
    assert (ended.exit_code, ended.err) == (0, "")
    assert {row.status for row in RunHistory.objects.all()} == {"success"}


def test_pgbouncer_without_a_further_client_is_accepted(manage: Manage) -> None:
    create_custom_manifest("reporting.a", "SELECT 1 AS n")
    with pgbouncer("session", max_client_conn=2) as address:
        ended = manage("refresh_all", SEEDER_MAX_WORKERS="1", **address)
    assert (ended.exit_code, ended.err) == (0, "")


@pytest.mark.parametrize("transform", [lambda data: data, invent_a_pid])
def test_proxy_that_keeps_sessions_is_accepted(manage: Manage, transform: Callable[[bytes], bytes]) -> None:
    create_custom_manifest("reporting.a", "SELECT 1 AS n")
    with proxy_to_server(transform=transform) as (host, port):
        ended = manage("refresh_all", DB_HOST=host, DB_PORT=str(port), PGSSLMODE="disable")
    assert (ended.exit_code, ended.err) == (0, "")


def _open_idle_sessions(address: dict[str, str], count: int) -> None:
    """Let PgBouncer open some sessions, which are idle afterwards."""
    [(database,)] = sql("SELECT current_database()")
    parameters: dict[str, Any] = {
        "host": address["DB_HOST"],
        "port": address["DB_PORT"],
        "dbname": str(database),
        "user": "any",
    }
    clients = [psycopg.connect(**parameters, sslmode="disable") for _ in range(count)]
    for client in clients:
        client.execute("SELECT 1")
    for client in clients:
        client.rollback()
        client.close()
