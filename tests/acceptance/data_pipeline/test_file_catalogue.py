"""The catalogue of bad input: each file is loaded by the command, and has one result on every version of PostgreSQL."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from data_pipeline.models import LoadLog
from tests.acceptance.data_pipeline.catalogue.encodings import ENCODINGS
from tests.acceptance.data_pipeline.catalogue.files import File
from tests.acceptance.data_pipeline.catalogue.formats import FORMATS
from tests.acceptance.data_pipeline.catalogue.large_files import LARGE_FILES
from tests.acceptance.data_pipeline.catalogue.structure import STRUCTURE
from tests.acceptance.data_pipeline.catalogue.tables import TABLES
from tests.acceptance.data_pipeline.catalogue.values import VALUES
from tests.acceptance.data_pipeline.catalogue.workbooks import WORKBOOKS
from tests.acceptance.data_pipeline.file_loads import TABLE, create, kept_rejects, load
from tests.conftest import CompletedCommand, server_major_version, sql

pytestmark = pytest.mark.usefixtures("load_tables")
Manage = Callable[..., CompletedCommand]
CATALOGUE = [*ENCODINGS, *STRUCTURE, *VALUES, *TABLES, *FORMATS, *WORKBOOKS, *LARGE_FILES]


def row_count() -> int:
    [(count,)] = sql(f"SELECT count(*) FROM {TABLE}")
    return int(count)


@pytest.mark.parametrize(
    "file",
    [pytest.param(one, id=one.name, marks=[pytest.mark.slow] if one.is_slow else []) for one in CATALOGUE],
)
def test_file_has_its_result(file: File, tmp_path: Path, manage: Manage) -> None:
    for statement in (file.types, f"CREATE TABLE {TABLE} ({file.columns})", file.setup):
        sql(statement or "SELECT 1")
    rows_before = row_count()
    try:
        ended = manage("load_file", *written(file, tmp_path), **file.environment)
    finally:
        sql(file.teardown or "SELECT 1")
    if file.refused is not None:
        assert (ended.exit_code, ended.err, ended.document["exitCode"]) == (2, "", 2)
        assert re.search(file.refused, ended.document["detail"]), ended.document
        assert row_count() == rows_before
        assert not LoadLog.objects.exclude(status="failed", error_code__gt="").exists()
        return
    assert (ended.exit_code, ended.err) == (0, "")
    rows, bad = list(file.rows), list(file.bad)
    if file.accepted_since_16 and server_major_version() >= 16:
        rows, bad = list(file.accepted_since_16), []
    assert sql(f"SELECT {file.select} FROM {TABLE} ORDER BY 1") == rows
    [document] = ended.document["loads"]
    assert kept_rejects(document["loadId"]) == bad
    inserted = row_count() - rows_before
    counts = document["rowsIn"], document["rowsInserted"], document["rowsRejected"]
    assert counts == (inserted + len(bad), inserted, len(bad))


def written(file: File, folder: Path) -> list[str]:
    """Write the file and its dialect. Return the arguments of the command."""
    path = folder / file.file_name
    path.write_bytes(file.content) if isinstance(file.content, bytes) else file.content(path)
    arguments = [str(path), "--table", TABLE, "--max-rejects", "1000", "--json"]
    if file.dialect is not None:
        (folder / "orders.toml").write_text(file.dialect)
        arguments += ["--dialect", str(folder / "orders.toml")]
    return arguments


def test_unclosed_quote_is_explained_at_its_line(tmp_path: Path) -> None:
    create("id integer, name text")
    [reject] = load(tmp_path, b'id,name\n1,a\n2,"b\n3,c\n').rejects
    assert (reject.line_no, reject.problems[0].reason.partition(" is not closed")[0]) == (
        3,
        "a quote that opens in this line",
    )
