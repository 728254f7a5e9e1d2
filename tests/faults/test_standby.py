"""The server only replays what another one sends it."""

from collections.abc import Callable

import pytest

from seeder.models import RunHistory
from tests.conftest import Ended, custom, sql
from tests.faults.scenes import filled
from tests.faults.servers import PrivateServer

pytestmark = [pytest.mark.slow, pytest.mark.versions]

Manage = Callable[..., Ended]


@pytest.mark.usefixtures("reporting")
@pytest.mark.parametrize("command", ["refresh_all", "recover_runs", "install_schema"])
def test_a_standby_is_refused_in_one_line(command: str, server: PrivateServer, manage: Manage) -> None:
    filled("a", "SELECT 1 AS n")
    row = {"manifest_id": custom("reporting.b", "SELECT 1 AS n").pk, "report_type": "custom", "agency_id": 1}
    RunHistory.objects.create(run_id="dead", status="running", table_name="reporting.b", agency_slug="demo", **row)
    sql("DROP TABLE reporting.seeder_release_snapshot")  # so that every command has something to do
    server.follow()
    assert sql("SELECT pg_is_in_recovery()") == [(True,)]
    ended = manage(command)
    assert (ended.code, ended.out) == (2, "")
    [line] = ended.err.splitlines()
    assert "standby" in line
    assert list(RunHistory.objects.values_list("run_id", "status")) == [("dead", "running")]


@pytest.mark.usefixtures("reporting")
def test_a_standby_that_was_promoted_serves_like_any_other(server: PrivateServer, manage: Manage) -> None:
    filled("a", "SELECT 1 AS n")
    server.follow()
    assert sql("SELECT pg_promote()") == [(True,)]
    assert manage("refresh_all").code == 0
    assert list(RunHistory.objects.values_list("table_name", "status")) == [("reporting.a", "success")]
