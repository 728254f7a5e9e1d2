"""A run behind a proxy that pools transactions is rejected, because session locks do not work there.

Such a proxy is recognised by the invented pid in its greeting. The proxy of these tests changes only this pid.
"""

from collections.abc import Callable
from struct import pack

import pytest

from tests.conftest import CompletedCommand, create_custom_manifest, sql
from tests.server_proxy import proxy_to_server

pytestmark = pytest.mark.usefixtures("contract_tables")

# BackendKeyData in the frontend/backend protocol: its letter, the length, then the pid.
_KEY_DATA = b"K" + pack("!i", 12)


def invent_a_pid(data: bytes) -> bytes:
    at = data.find(_KEY_DATA)
    return data if at < 0 else data[: at + 5] + pack("!i", 4711) + data[at + 9 :]


def test_proxy_that_pools_transactions_is_rejected_in_one_line(manage: Callable[..., CompletedCommand]) -> None:
    create_custom_manifest("reporting.a", "SELECT 1 AS n")
    with proxy_to_server(transform=invent_a_pid) as (host, port):
        ended = manage("refresh_all", DB_HOST=host, DB_PORT=str(port), PGSSLMODE="disable")
    assert (ended.exit_code, ended.out) == (2, "")
    assert ended.err.startswith("CommandError: DATABASES['default'] connects through a proxy that pools transactions")
    assert len(ended.err.splitlines()) == 1
    assert sql("SELECT 1 FROM reporting.seeder_run_history") == []


def test_transparent_proxy_is_accepted(manage: Callable[..., CompletedCommand]) -> None:
    create_custom_manifest("reporting.a", "SELECT 1 AS n")
    with proxy_to_server() as (host, port):
        ended = manage("refresh_all", DB_HOST=host, DB_PORT=str(port), PGSSLMODE="disable")
    assert (ended.exit_code, ended.err) == (0, "")
