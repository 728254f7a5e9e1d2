"""The database backend and the command, used in separate processes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.embedded.server_processes import CHECKOUT, FAST_SETTINGS, CompletedProcess, EmbeddedServer

pytestmark = pytest.mark.slow

_SETTINGS = """
import json, os
EMBEDDED = json.loads(os.environ["EMBEDDED"])
DATABASES = {"default": {"ENGINE": os.environ["ENGINE"], "NAME": "postgres", "EMBEDDED": EMBEDDED}}
INSTALLED_APPS = ["embedded"]
USE_TZ = True
"""
_DJANGO = "import django, os; django.setup(); from django.db import connection, OperationalError\n"


class Project:
    """A Django project with only the embedded database."""

    def __init__(self, embedded_server: EmbeddedServer, folder: Path) -> None:
        (folder / "minimal_settings.py").write_text(_SETTINGS)
        self.environment = {
            **os.environ,
            "PYTHONPATH": f"{CHECKOUT}{os.pathsep}{folder}",
            "DJANGO_SETTINGS_MODULE": "minimal_settings",
            "ENGINE": "embedded.backend",
            "EMBEDDED": json.dumps({"FOLDER": str(embedded_server.folder), "SETTINGS": FAST_SETTINGS}),
        }

    def python(self, program: str, **environment: str) -> CompletedProcess:
        return self._run([sys.executable, "-Werror", "-c", _DJANGO + program], environment)

    def manage(self, *arguments: str, **environment: str) -> CompletedProcess:
        return self._run([sys.executable, "-m", "django", *arguments], environment)

    def _run(self, command: list[str], environment: dict[str, str]) -> CompletedProcess:
        variables = {**self.environment, **environment}
        completed = subprocess.run(command, env=variables, capture_output=True, text=True, timeout=60, check=False)
        return CompletedProcess(exit_code=completed.returncode, out=completed.stdout, err=completed.stderr)


@pytest.fixture
def project(embedded_server: EmbeddedServer, tmp_path: Path) -> Project:
    return Project(embedded_server, tmp_path)


def test_first_query_starts_the_server(project: Project, embedded_server: EmbeddedServer) -> None:
    result = project.python('connection.cursor().execute("SELECT 1"); connection.close(); print(connection.vendor)')

    assert (result.exit_code, result.out) == (0, "postgresql\n")
    assert result.err.count("\n") == 1
    assert "started in" in result.err
    assert embedded_server.is_running()


def test_settings_alone_do_not_start_the_server(project: Project, embedded_server: EmbeddedServer) -> None:
    assert project.manage("check").exit_code == 0
    assert not embedded_server.is_running()


def test_server_killed_between_connections_is_restarted(project: Project) -> None:
    result = project.python("""
import signal
from embedded.server import status
def pid():
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return status(connection.settings_dict["EMBEDDED"]["FOLDER"]).server.pid
first = pid()
os.kill(first, signal.SIGKILL)
connection.close()
assert pid() != first
connection.close()
""")

    assert (result.exit_code, result.err.count("started in")) == (0, 2), result.err


def test_threads_and_forks_share_the_server_of_their_process(project: Project) -> None:
    result = project.python("""
from threading import Barrier, Thread
barrier = Barrier(8)
answers = []
def run_query():
    barrier.wait()
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        answers.append(cursor.fetchone())
    connection.close()
threads = [Thread(target=run_query) for _ in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
assert answers == [(1,)] * 8
if not (child := os.fork()):
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
""")

    assert (result.exit_code, result.err.count("\n")) == (0, 1), result.err


def test_refused_start_is_an_operational_error(project: Project, embedded_server: EmbeddedServer) -> None:
    (embedded_server.folder / "data" / "PG_VERSION").write_text("17\n")

    result = project.python("""
try:
    connection.ensure_connection()
except OperationalError as error:
    print(error)
""")

    assert "was created by PostgreSQL 17" in result.out
    assert result.out.count("\n") == 1


def test_dbshell_starts_the_server(project: Project) -> None:
    result = project.manage("dbshell", "--", "-Atc", "SELECT 42")

    assert (result.exit_code, result.out) == (0, "42\n"), result.err


def test_status_command_shows_how_to_connect(project: Project, embedded_server: EmbeddedServer) -> None:
    stopped = project.manage("embedded_db", "status")
    assert stopped.exit_code == 1
    assert "not running" in stopped.out
    assert not embedded_server.is_running()

    _, pid = embedded_server.start_user().server()
    running = project.manage("embedded_db", "status")

    server = embedded_server.server()
    assert running.exit_code == 0
    assert f"running, PostgreSQL {server.version}, pid {pid}" in running.out
    assert f"-h {server.socket_folder} -U postgres postgres" in running.out
    assert f"{embedded_server.folder / 'data'}" in running.out
    assert " MB" in running.out


def test_stop_command_reports_if_nothing_was_running(project: Project, embedded_server: EmbeddedServer) -> None:
    embedded_server.start_user().server()

    assert project.manage("embedded_db", "stop").out == "stopped\n"
    assert project.manage("embedded_db", "stop").out == "was not running\n"
    assert not embedded_server.is_running()


@pytest.mark.parametrize("action", ["stop", "status"])
def test_command_refuses_a_database_that_is_not_embedded(
    project: Project, embedded_server: EmbeddedServer, action: str
) -> None:
    embedded_server.start_user().server()

    result = project.manage("embedded_db", action, ENGINE="django.db.backends.postgresql")

    assert result.exit_code == 2
    assert result.err.count("\n") == 1
    assert "nothing was touched" in result.err
    assert embedded_server.is_running()
