"""Clients that are generated from the schema, for Python and TypeScript, against a web server."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from rest_framework.authtoken.models import Token

from tests.acceptance import api_clients
from tests.acceptance.data_pipeline import api_scene
from tests.acceptance.web_process import fetch, web_process
from tests.conftest import CHECKOUT

pytestmark = pytest.mark.slow

IS_REQUIRED = os.environ.get("SEEDER_CLIENTS") == "required"  # read before a fixture cleans the environment
SCRIPTS = Path(__file__).with_name("generated_clients")
TOOLS = CHECKOUT / "var" / "clients"
OPTIONAL_DEFAULTS = "--default-non-nullable=false"  # in a body, too
EXPECTED: dict[str, Any] = {
    "seeder": {
        "total": 4,
        "jobs": ["reporting.bad", "reporting.good", "reporting.shared", "reporting.shared"],
        "started": [True] * 4,
        "status": "queued",
        "agencies": ["metro"],
        "problem": [404, "not_found"],
    },
    "pipeline": {
        "loads": [
            ["landing.fees", "success"],
            ["landing.orders", "failed"],
            ["landing.orders", "success"],
            ["landing.orders", "success"],
        ],
        "rejects": [[1, "22P02"], [2, "22P02"], [4, "22021"]],
        "requests": [["load", "fees.csv"], ["load", None], ["records", None]],
        "problem": [404, "not_found"],
    },
}


@pytest.fixture
def server(load_tables: None, empty_queue: None, tmp_path: Path) -> Iterator[str]:
    """Run a web server whose database has reports and loads."""
    api_clients.create_reports()
    api_scene.create_loads(tmp_path)
    with web_process(DATA_PIPELINE_UPLOAD_ROOT=str(tmp_path)) as address:
        yield address
    api_clients.delete_users()


@pytest.fixture
def token(server: str) -> str:
    return str(Token.objects.create(user=User.objects.create_superuser("program")))


@pytest.fixture
def folder(server: str, token: str, tmp_path: Path) -> Path:
    """Copy the scripts, and the schemas that the server publishes, into a folder."""
    shutil.copytree(SCRIPTS, tmp_path, dirs_exist_ok=True)
    for app in EXPECTED:
        status, schema = fetch(f"{server}/api/{app}/v1/schema/", Authorization=f"Token {token}")
        assert status == 200
        (tmp_path / f"{app}.json").write_bytes(schema)
    return tmp_path


def install(language: str, *programs: str) -> Path:
    """Install the tools of a language. Return their folder."""
    if missing := [one for one in programs if shutil.which(one) is None]:
        reason = f"needs {' and '.join(missing)}: install Node.js"
        if IS_REQUIRED:
            pytest.fail(reason)
        pytest.skip(reason)
    subprocess.run(
        ["requirements/clients", language], cwd=CHECKOUT, env={**os.environ, "PYTHON": sys.executable}, check=True
    )
    return TOOLS / language


def run(*command: str | Path, folder: Path) -> str:
    """Run a command without complaints. Return its output."""
    ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    assert (ended.returncode, ended.stderr) == (0, ""), ended.stdout + ended.stderr
    return ended.stdout


def test_python_client_reads_pages_and_problems(server: str, token: str, folder: Path) -> None:
    programs = install("python") / "bin"
    (folder / "generator.yaml").write_text("post_hooks: []\n")  # no formatting
    generate = (programs / "openapi-python-client", "generate", "--fail-on-warning", "--config", "generator.yaml")
    for app in EXPECTED:
        run(*generate, "--meta", "none", "--path", f"{app}.json", "--output-path", f"{app}_client", folder=folder)
    received = {app: run(programs / "python", f"use_{app}.py", server, token, folder=folder) for app in EXPECTED}
    assert {app: json.loads(text) for app, text in received.items()} == EXPECTED


def test_typescript_client_compiles_strictly_and_runs(server: str, token: str, folder: Path) -> None:
    modules = install("typescript", "node", "npm") / "node_modules"
    (folder / "node_modules").symlink_to(modules)
    for app in EXPECTED:
        types = run(modules / ".bin" / "openapi-typescript", f"{app}.json", OPTIONAL_DEFAULTS, folder=folder)
        (folder / f"{app}.ts").write_text(types)
    run(modules / ".bin" / "tsc", folder=folder)
    received = {app: run("node", f"compiled/use_{app}.js", server, token, folder=folder) for app in EXPECTED}
    assert {app: json.loads(text) for app, text in received.items()} == EXPECTED
