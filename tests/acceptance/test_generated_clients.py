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
from tests.acceptance.web_process import fetch, web_process
from tests.conftest import CHECKOUT

pytestmark = pytest.mark.slow

IS_REQUIRED = os.environ.get("SEEDER_CLIENTS") == "required"  # read before a fixture cleans the environment
SCRIPTS = Path(__file__).with_name("generated_clients")
TOOLS = CHECKOUT / "var" / "clients"
APPS = ("seeder",)
EXPECTED = {
    "total": 4,
    "jobs": ["reporting.bad", "reporting.good", "reporting.shared", "reporting.shared"],
    "started": [True] * 4,
    "state": "queued",
    "agencies": ["metro"],
    "problem": [404, "not_found"],
}


@pytest.fixture
def server(contract_tables: None) -> Iterator[str]:
    api_clients.create_reports()
    with web_process() as address:
        yield address
    api_clients.delete_users()


@pytest.fixture
def token(server: str) -> str:
    return str(Token.objects.create(user=User.objects.create_superuser("program")))


@pytest.fixture
def folder(server: str, token: str, tmp_path: Path) -> Path:
    """Copy the scripts, and the schemas that the server publishes, into a folder."""
    shutil.copytree(SCRIPTS, tmp_path, dirs_exist_ok=True)
    for app in APPS:
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
    for app in APPS:
        run(
            *(programs / "openapi-python-client", "generate", "--fail-on-warning", "--config", "generator.yaml"),
            *("--meta", "none", "--path", f"{app}.json", "--output-path", f"{app}_client"),
            folder=folder,
        )
    assert received(programs / "python", "use_seeder.py", server, token, folder=folder) == EXPECTED


def test_typescript_client_compiles_strictly_and_runs(server: str, token: str, folder: Path) -> None:
    modules = install("typescript", "node", "npm") / "node_modules"
    (folder / "node_modules").symlink_to(modules)
    for app in APPS:
        types = run(modules / ".bin" / "openapi-typescript", f"{app}.json", folder=folder)
        (folder / f"{app}.ts").write_text(types)
    run(modules / ".bin" / "tsc", folder=folder)
    assert received("node", "compiled/use_seeder.js", server, token, folder=folder) == EXPECTED


def received(*command: str | Path, folder: Path) -> Any:
    return json.loads(run(*command, folder=folder))
