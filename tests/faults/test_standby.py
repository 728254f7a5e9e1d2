"""The server is a standby."""

from collections.abc import Callable

import pytest

from seeder.models import RunHistory
from tests.conftest import CompletedCommand, create_custom_manifest, sql
from tests.faults.gated_views import create_filled_view
from tests.faults.private_server import PrivateServer

pytestmark = [pytest.mark.slow]

Manage = Callable[..., CompletedCommand]


@pytest.mark.usefixtures("contract_tables")
@pytest.mark.parametrize("command", ["refresh_all", "recover_runs", "install_schema"])
def test_command_on_a_standby_is_refused_in_one_line(command: str, server: PrivateServer, manage: Manage) -> None:
    create_filled_view("a", "SELECT 1 AS n")
    row = {
        "manifest_id": create_custom_manifest("reporting.b", "SELECT 1 AS n").pk,
        "report_type": "custom",
        "agency_id": 1,
    }
    RunHistory.objects.create(run_id="dead", status="running", table_name="reporting.b", agency_slug="demo", **row)
    sql("DROP TABLE reporting.seeder_release_snapshot")  # so that every command has something to do
    server.become_standby()
    assert sql("SELECT pg_is_in_recovery()") == [(True,)]
    result = manage(command)
    assert (result.exit_code, result.out) == (2, "")
    [line] = result.err.splitlines()
    assert "standby" in line
    assert list(RunHistory.objects.values_list("run_id", "status")) == [("dead", "running")]


@pytest.mark.usefixtures("contract_tables")
def test_promoted_standby_serves_runs(server: PrivateServer, manage: Manage) -> None:
    create_filled_view("a", "SELECT 1 AS n")
    server.become_standby()
    assert sql("SELECT pg_promote()") == [(True,)]
    assert manage("refresh_all").exit_code == 0
    assert list(RunHistory.objects.values_list("table_name", "status")) == [("reporting.a", "success")]
