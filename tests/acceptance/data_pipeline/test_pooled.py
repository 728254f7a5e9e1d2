"""Loads through proxies, and on databases without the tables of loads."""

from collections.abc import Callable
from pathlib import Path

import pytest

from data_pipeline.models import LoadLog
from tests.conftest import CompletedCommand, sql
from tests.pgbouncer import pgbouncer

pytestmark = pytest.mark.usefixtures("load_tables")
Manage = Callable[..., CompletedCommand]


@pytest.fixture
def numbers(load_tables: None, tmp_path: Path) -> str:
    """The path of a file for the table `landing.numbers`."""
    sql("CREATE TABLE landing.numbers (n integer)")
    (tmp_path / "numbers.csv").write_text("n\n1\n2\n", encoding="utf-8")
    return str(tmp_path / "numbers.csv")


def test_proxy_that_shares_sessions_is_refused(manage: Manage, numbers: str) -> None:
    with pgbouncer("transaction") as address:
        ended = manage("load_file", numbers, "--table", "landing.numbers", **address)
    assert ended.exit_code == 2
    assert ended.err.startswith("CommandError: DATABASES['default'] connects through a proxy that pools transactions")
    assert sql("SELECT n FROM landing.numbers") == []
    assert LoadLog.objects.get().status == "failed"


def test_proxy_that_pools_sessions_is_accepted(manage: Manage, numbers: str) -> None:
    with pgbouncer("session") as address:
        ended = manage("load_file", numbers, "--table", "landing.numbers", **address)
    assert (ended.exit_code, ended.err) == (0, "")
    assert sql("SELECT n FROM landing.numbers") == [(1,), (2,)]


def test_missing_tables_name_the_migration(manage: Manage, numbers: str) -> None:
    sql("ALTER TABLE load_log RENAME TO load_log_of_others")
    try:
        ended = manage("load_file", numbers, "--table", "landing.numbers")
    finally:
        sql("ALTER TABLE load_log_of_others RENAME TO load_log")
    assert (ended.exit_code, ended.err.count("\n")) == (2, 1)
    assert "manage.py migrate data_pipeline" in ended.err
