"""Databases in other encodings than UTF-8: records with characters that they lack are rejected, and others loaded."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import call_command

from data_pipeline.services.load_options import Loaded
from tests.acceptance.data_pipeline.file_loads import TABLE, Bad, create, load, rejects, rows
from tests.conftest import another_session, default_database, sql

DATABASE, FACE = "test_loads_encoded", "\N{GRINNING FACE}"


@pytest.fixture(params=["LATIN1", "EUC_JP", "SQL_ASCII"])
def encoding(request: pytest.FixtureRequest, load_tables: None) -> Iterator[str]:
    """Use a database with another encoding as the default one."""
    provider = "LOCALE_PROVIDER libc LC_COLLATE 'C' LC_CTYPE 'C'"
    with another_session(dbname="postgres") as session:
        session.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
        session.execute(f"CREATE DATABASE {DATABASE} ENCODING '{request.param}' {provider} TEMPLATE template0")
        with default_database({"DB_NAME": DATABASE}):
            call_command("migrate", "data_pipeline", verbosity=0)
            sql("CREATE SCHEMA landing")
            yield request.param
        session.execute(f"DROP DATABASE {DATABASE} WITH (FORCE)")


def load_text(folder: Path, text: str, mode: str) -> Loaded:
    return load(folder, text.encode(), mode=mode)


@pytest.mark.parametrize("mode", ["append", "upsert"])
def test_record_that_the_encoding_lacks_is_rejected(encoding: str, tmp_path: Path, mode: str) -> None:
    create("name text PRIMARY KEY, n integer")
    loaded = load_text(tmp_path, "name,n\nä,1\n漢,2\n\N{GRINNING FACE},3\nb,ä\nö,5\n", mode)
    lacking = {"LATIN1": {2: "漢", 3: "\N{GRINNING FACE}"}, "EUC_JP": {3: "\N{GRINNING FACE}"}, "SQL_ASCII": {}}[
        encoding
    ]
    texts = ["ä", "漢", "\N{GRINNING FACE}", "b", "ö"]
    assert rejects(loaded) == [
        *(Bad(no + 1, no, f"{text},{no}".encode(), {None: "22P05"}) for no, text in lacking.items()),
        Bad(5, 4, "b,ä".encode(), {"n": "22P02"}),
    ]
    good = {no: text for no, text in enumerate(texts, start=1) if no not in lacking and no != 4}
    assert dict(sql(f"SELECT n, name FROM {TABLE}")) == good
    assert loaded.counts.rows_inserted == len(rows()) == len(good)
