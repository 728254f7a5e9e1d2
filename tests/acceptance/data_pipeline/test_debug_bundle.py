"""`debug_bundle`: what is in the archive, and what is not."""

import json
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import CompletedCommand, sql

pytestmark = pytest.mark.usefixtures("load_tables", "empty_queue")
Manage = Callable[..., CompletedCommand]
HIDDEN = "hunter2-hunter2-hunter2"


@pytest.fixture
def bundle(manage: Manage, tmp_path: Path) -> Path:
    """The archive after a load with rejects, and one that failed."""
    sql("CREATE TABLE landing.orders (id integer PRIMARY KEY, name text CHECK (name <> 'Mallory'))")
    (tmp_path / "orders.csv").write_text("id,name\n1,Alice\nBob,Bob\n2,Mallory\n")
    load = ["load_file", str(tmp_path / "orders.csv"), "--table", "landing.orders"]
    assert manage(*load).exit_code == 1
    assert manage(*load, "--max-rejects", "5").exit_code == 0
    path = tmp_path / "bundle.zip"
    result = manage("debug_bundle", str(path), DATA_PIPELINE_PII_HASH_KEY=HIDDEN, DB_PASSWORD=HIDDEN)
    assert result.exit_code == 0, result.err
    return path


def contents(path: Path) -> dict[str, Any]:
    with zipfile.ZipFile(path) as archive:
        return {name: json.loads(archive.read(name)) for name in archive.namelist()}


def test_bundle_has_loads_settings_versions_doctor_and_queue(bundle: Path) -> None:
    found = contents(bundle)
    assert {"versions.json", "settings.json", "loads.json", "doctor.json", "queue_status.json"} <= found.keys()
    [load] = found["loads.json"]
    assert (load["id"], load["status"], load["rowsRejected"], load["attempts"]) == (1, "success", 2, 2)
    assert found["rejects.json"] == [
        {"loadId": 1, "state": "open", "column": "id", "sqlstate": "22P02", "count": 1},
        {"loadId": 1, "state": "open", "column": "name", "sqlstate": "23514", "count": 1},
    ]
    assert all(not (isinstance(one, dict) and "problem" in one) for one in found.values())
    assert "PostgreSQL" in found["server.json"][0]["version"]


def test_bundle_has_neither_data_nor_secrets(bundle: Path) -> None:
    with zipfile.ZipFile(bundle) as archive:
        text = "".join(archive.read(name).decode() for name in archive.namelist())
    assert [one for one in ("Alice", "Bob", "Mallory", HIDDEN) if one in text] == []
    assert '"pii_hash_key": "…"' in text


def test_only_the_user_can_read_the_bundle(bundle: Path) -> None:
    assert stat.S_IMODE(bundle.stat().st_mode) == 0o600


def test_existing_file_is_not_overwritten(manage: Manage, bundle: Path) -> None:
    result = manage("debug_bundle", str(bundle))
    assert (result.exit_code, len(result.err.splitlines())) == (2, 1)
    assert "cannot be written: File exists" in result.err


def test_missing_tables_do_not_prevent_a_bundle(manage: Manage, tmp_path: Path) -> None:
    sql("ALTER TABLE load_event RENAME TO hidden_event")
    try:
        result = manage("debug_bundle", str(tmp_path / "b.zip"), "--json")
    finally:
        sql("ALTER TABLE hidden_event RENAME TO load_event")
    assert result.exit_code == 0
    assert "load_event" in result.document["files"]["events.json"]
    assert result.document["files"]["loads.json"] is None


def test_unreachable_server_does_not_prevent_a_bundle(manage: Manage, tmp_path: Path) -> None:
    result = manage("debug_bundle", str(tmp_path / "b.zip"), "--json", DB_HOST="127.0.0.1", DB_PORT="1")
    assert result.exit_code == 0
    assert result.document["files"]["loads.json"]
    assert result.document["files"]["versions.json"] is None
