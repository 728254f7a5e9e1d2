"""The server lacks a resource, and the view keeps its data."""

import os
from pathlib import Path

import pytest
from pytest_django import Settings

from seeder.domain.outcomes import Outcome
from tests.conftest import sql
from tests.faults.gated_views import (
    create_filled_view,
    create_gated_view,
    latest_statuses,
    refresh_everything,
    sqlstate_of,
)
from tests.faults.private_server import PrivateServer

pytestmark = pytest.mark.usefixtures("contract_tables")

# SOME rows of the source fit on the small disk, TOO_MANY do not.
SOME, TOO_MANY = 1_000, 400_000


def test_statement_timeout_fails_the_view_and_keeps_its_data(settings: Settings) -> None:
    settings.SEEDER = {"STATEMENT_TIMEOUT_MS": 200}
    create_gated_view("a")
    previous = sql("TABLE reporting.a")
    result = refresh_everything()["a"]
    assert (sqlstate_of(result), result.attempts) == ("57014", 1)
    assert sql("TABLE reporting.a") == previous


def create_grown_views(*names: str, tablespace: str = "pg_default") -> None:
    """Create filled views of a source that is much larger afterwards."""
    sql(f"CREATE TABLE reporting.source AS SELECT generate_series(1, {SOME}) AS n")
    sql(f"SET default_tablespace = {tablespace}")
    for name in names:
        create_filled_view(name, "SELECT n, repeat('x', 100) AS filler FROM reporting.source ORDER BY md5(n::text)")
    sql("RESET default_tablespace")
    sql(f"INSERT INTO reporting.source SELECT generate_series({SOME + 1}, {TOO_MANY})")


@pytest.mark.parametrize("concurrently", [False, True], ids=["plain", "concurrent"])
@pytest.mark.slow
def test_temp_file_limit_fails_the_view_and_others_continue(
    concurrently: bool,  # noqa: FBT001  # parameter of pytest
    server: PrivateServer,
    settings: Settings,
) -> None:
    settings.SEEDER = {"REFRESH_CONCURRENTLY": concurrently}
    server.restart(temp_file_limit="1MB", work_mem="64kB")
    create_grown_views("a")
    sql("CREATE UNIQUE INDEX ON reporting.a (n)")
    create_filled_view("b", "SELECT 1 AS n")
    results = refresh_everything()
    assert (sqlstate_of(results["a"]), results["a"].attempts) == ("53400", 1)
    assert results["b"].outcome is Outcome.REFRESHED
    assert sql("SELECT count(*) FROM reporting.a") == [(SOME,)]
    assert latest_statuses()["a"][0] == "error"


def free_bytes(disk: Path) -> int:
    found = os.statvfs(disk)
    return found.f_bavail * found.f_frsize


@pytest.mark.slow
def test_full_disk_fails_its_views_and_is_freed(small_disk: Path) -> None:
    create_grown_views("a", tablespace="small_disk")
    create_filled_view("b", "SELECT 1 AS n")
    previous = free_bytes(small_disk)
    results = refresh_everything()
    assert (sqlstate_of(results["a"]), results["a"].attempts) == ("53100", 1)
    assert results["b"].outcome is Outcome.REFRESHED
    assert sql("SELECT count(*) FROM reporting.a") == [(SOME,)]
    sql("CHECKPOINT")
    assert free_bytes(small_disk) >= previous - 1_000_000
    sql(f"DELETE FROM reporting.source WHERE n > {SOME + 1}")
    assert refresh_everything()["a"].rows == SOME + 1
