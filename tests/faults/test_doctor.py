"""The doctor on a standby and with other preloaded libraries."""

from collections.abc import Callable

import pytest

from tests.conftest import CompletedCommand, another_session, create_custom_manifest, need_statements
from tests.faults.gated_views import create_filled_view
from tests.faults.private_server import PrivateServer

Manage = Callable[..., CompletedCommand]
pytestmark = pytest.mark.usefixtures("contract_tables")


def test_doctor_on_a_standby_reports_what_can_be_read(server: PrivateServer, manage: Manage) -> None:
    create_filled_view("a", "SELECT 1 AS n")
    create_custom_manifest("a.b.c", "SELECT 1")
    server.become_standby()
    result = manage("doctor", "--json")
    diagnoses = {diagnosis["word"]: diagnosis["about"] for diagnosis in result.document["diagnoses"]}
    assert (result.exit_code, result.err) == (1, "")
    assert diagnoses["read_only"] == "DATABASES['default']"
    assert diagnoses["concurrent_unready"] == "reporting.a"
    assert "bad_name" in diagnoses
    assert not diagnoses.keys() & {"check_failed", "drift_unknown"}


def test_fix_for_preloading_keeps_the_other_libraries(server: PrivateServer, manage: Manage) -> None:
    need_statements()  # skips on a server without auto_explain
    server.restart(shared_preload_libraries="auto_explain")
    diagnoses = {diagnosis["word"]: diagnosis for diagnosis in manage("doctor", "--json").document["diagnoses"]}
    fix = diagnoses["pg_stat_statements_unloaded"]["sql"]
    assert fix == "ALTER SYSTEM SET shared_preload_libraries = 'auto_explain', 'pg_stat_statements';"
    with another_session() as session:
        session.execute(fix.encode())
        query = (
            "SELECT setting FROM pg_file_settings WHERE name = 'shared_preload_libraries' ORDER BY seqno DESC LIMIT 1"
        )
        assert session.execute(query.encode()).fetchone() == ("auto_explain, pg_stat_statements",)
        session.execute("ALTER SYSTEM RESET shared_preload_libraries")
