"""The rejects of a failed load: kept with its failure, and replaced by the next attempt."""

from pathlib import Path

import pytest

from data_pipeline.errors import TooManyRejects, UnknownTarget
from data_pipeline.models import LoadLog, LoadReject
from data_pipeline.services.load_file import load_file
from seeder.errors import SeederError
from tests.conftest import sql

pytestmark = pytest.mark.usefixtures("load_tables")


@pytest.fixture
def path(load_tables: None, tmp_path: Path) -> str:
    sql("CREATE TABLE landing.orders (id integer)")
    path = tmp_path / "orders.csv"
    path.write_text("id\n1\nx\ny\n")
    return str(path)


def load(path: str) -> None:
    load_file(path, table="landing.orders")


def test_rejects_commit_with_the_failure(path: str) -> None:
    with pytest.raises(TooManyRejects):
        load(path)
    row = LoadLog.objects.get()
    assert (row.rows_in, row.rows_rejected, row.rows_inserted) == (3, 2, None)
    assert sql("SELECT count(*) FROM load_reject AS r JOIN load_log AS l ON r.xmin = l.xmin") == [(2,)]


def test_rejects_of_an_earlier_attempt_are_not_those_of_a_failure(path: str) -> None:
    with pytest.raises(TooManyRejects):
        load(path)
    sql("DROP TABLE landing.orders")
    with pytest.raises(UnknownTarget):
        load(path)
    row = LoadLog.objects.get()
    assert (row.status, row.error_code, row.attempts, row.rows_rejected) == ("failed", "unknown_target", 2, None)
    assert not LoadReject.objects.exists()


def test_rejects_that_cannot_be_kept_do_not_hide_the_failure(path: str) -> None:
    sql("ALTER TABLE load_reject RENAME TO hidden")
    try:
        with pytest.raises(TooManyRejects):
            load(path)
    finally:
        sql("ALTER TABLE hidden RENAME TO load_reject")
    row = LoadLog.objects.get()
    assert (row.status, row.error_code, row.rows_rejected) == ("failed", "too_many_rejects", 2)


def test_rejects_that_cannot_be_written_fail_the_load(path: str) -> None:
    sql("ALTER TABLE load_reject RENAME TO hidden")
    try:
        with pytest.raises(SeederError):
            load_file(path, table="landing.orders", max_rejects=2)
    finally:
        sql("ALTER TABLE hidden RENAME TO load_reject")
    row = LoadLog.objects.get()
    assert (row.status, row.error_code, sql("SELECT count(*) FROM landing.orders")) == ("failed", "42P01", [(0,)])
