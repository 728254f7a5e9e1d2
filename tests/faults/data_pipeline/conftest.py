"""The tables of the loading lane on the server of the fault tests."""

from pathlib import Path

import pytest
from pytest_django import Settings

from tests.conftest import sql

ROWS = 3_000  # of the file


@pytest.fixture
def load_tables(contract_tables: None) -> None:
    """The tables of the loading lane, which are in the template, and the schema of the tables that are loaded."""
    sql("CREATE SCHEMA landing")


@pytest.fixture
def path(load_tables: None, tmp_path: Path, settings: Settings) -> Path:
    """A file of several chunks."""
    settings.DATA_PIPELINE = {"INGEST_STREAMING_CHUNK_SIZE": 500, "LOCK_WAIT_S": 20}
    sql(
        "CREATE TABLE landing.orders (id integer PRIMARY KEY, note text,"
        " load_id bigint DEFAULT nullif(current_setting('data_pipeline.load_id', true), '')::bigint)"
    )
    path = tmp_path / "orders.csv"
    path.write_text("id,note\n" + "".join(f"{number},x\n" for number in range(ROWS)))
    return path
