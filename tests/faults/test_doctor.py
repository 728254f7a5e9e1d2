"""The doctor on a standby and with other preloaded libraries."""

from collections.abc import Callable

import pytest

from tests.conftest import CompletedCommand, another_session, create_custom_manifest, need_statements
from tests.faults.gated_views import create_filled_view
from tests.faults.private_server import PrivateServer

Manage = Callable[..., CompletedCommand]
pytestmark = pytest.mark.usefixtures("contract_tables")


@pytest.mark.slow
def test_standby_runs_every_check_that_only_reads(server: PrivateServer, manage: Manage) -> None:
    create_filled_view("a", "SELECT 1 AS n")
    create_custom_manifest("a.b.c", "SELECT 1")
    server.become_standby()
    ended = manage("doctor", "--json")
    found = {diagnosis["problem"]: diagnosis["subject"] for diagnosis in ended.document["diagnoses"]}
    assert (ended.exit_code, ended.err) == (1, "")
    assert found["read_only"] == "DATABASES['default']"
    assert found["concurrent_unready"] == "reporting.a"
    assert "bad_name" in found
    assert not found.keys() & {"check_failed", "drift_unknown"}


@pytest.mark.slow
def test_library_is_added_to_those_that_are_preloaded(server: PrivateServer, manage: Manage) -> None:
    need_statements()  # a server without it has no auto_explain either
    server.restart(shared_preload_libraries="auto_explain")
    found = {diagnosis["problem"]: diagnosis for diagnosis in manage("doctor", "--json").document["diagnoses"]}
    fix = found["pg_stat_statements_unloaded"]["sql"]
    assert fix == "ALTER SYSTEM SET shared_preload_libraries = 'auto_explain', 'pg_stat_statements';"
    with another_session() as session:
        session.execute(fix.encode())
        setting = (
            "SELECT setting FROM pg_file_settings WHERE name = 'shared_preload_libraries' ORDER BY seqno DESC LIMIT 1"
        )
        assert session.execute(setting.encode()).fetchone() == ("auto_explain, pg_stat_statements",)
        session.execute("ALTER SYSTEM RESET shared_preload_libraries")
