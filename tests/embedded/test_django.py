"""The database engine and the command, as a project uses them: in processes of their own."""

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
    """A Django project with nothing but the embedded database."""

    def __init__(self, house: EmbeddedServer, folder: Path) -> None:
        (folder / "minimal_settings.py").write_text(_SETTINGS)
        self.environment = {
            **os.environ,
            "PYTHONPATH": f"{CHECKOUT}{os.pathsep}{folder}",
            "DJANGO_SETTINGS_MODULE": "minimal_settings",
            "ENGINE": "embedded.backend",
            "EMBEDDED": json.dumps({"FOLDER": str(house.folder), "SETTINGS": FAST_SETTINGS}),
        }

    def python(self, program: str, **environment: str) -> CompletedProcess:
        return self._run([sys.executable, "-Werror", "-c", _DJANGO + program], environment)

    def manage(self, *arguments: str, **environment: str) -> CompletedProcess:
        return self._run([sys.executable, "-m", "django", *arguments], environment)

    def _run(self, command: list[str], environment: dict[str, str]) -> CompletedProcess:
        everything = {**self.environment, **environment}
        done = subprocess.run(command, env=everything, capture_output=True, text=True, timeout=60, check=False)
        return CompletedProcess(exit_code=done.returncode, out=done.stdout, err=done.stderr)


@pytest.fixture
def project(house: EmbeddedServer, tmp_path: Path) -> Project:
    return Project(house, tmp_path)


def test_the_first_query_starts_the_server(project: Project, house: EmbeddedServer) -> None:
    ended = project.python('connection.cursor().execute("SELECT 1"); connection.close(); print(connection.vendor)')

    assert (ended.exit_code, ended.out) == (0, "postgresql\n")
    assert ended.err.count("\n") == 1
    assert "started in" in ended.err
    assert house.is_running()


def test_settings_alone_start_nothing(project: Project, house: EmbeddedServer) -> None:
    assert project.manage("check").exit_code == 0
    assert not house.is_running()


def test_a_server_killed_between_two_connections_is_started_again(project: Project) -> None:
    ended = project.python("""
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

    assert (ended.exit_code, ended.err.count("started in")) == (0, 2), ended.err


def test_threads_and_forks_share_what_their_process_was_given(project: Project) -> None:
    ended = project.python("""
from threading import Barrier, Thread
barrier = Barrier(8)
answers = []
def ask():
    barrier.wait()
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        answers.append(cursor.fetchone())
    connection.close()
threads = [Thread(target=ask) for _ in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
assert answers == [(1,)] * 8
if not (child := os.fork()):
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
""")

    assert (ended.exit_code, ended.err.count("\n")) == (0, 1), ended.err


def test_what_the_server_refuses_is_an_operational_error_of_djangos(project: Project, house: EmbeddedServer) -> None:
    (house.folder / "data" / "PG_VERSION").write_text("17\n")

    ended = project.python("""
try:
    connection.ensure_connection()
except OperationalError as error:
    print(error)
""")

    assert "was made by PostgreSQL 17" in ended.out
    assert ended.out.count("\n") == 1


def test_dbshell_starts_the_server_too(project: Project) -> None:
    ended = project.manage("dbshell", "--", "-Atc", "SELECT 42")

    assert (ended.exit_code, ended.out) == (0, "42\n"), ended.err


def test_status_tells_everything_one_needs_to_look_inside(project: Project, house: EmbeddedServer) -> None:
    before = project.manage("embedded_db", "status")
    assert before.exit_code == 1
    assert "not running" in before.out
    assert not house.is_running()

    _, pid = house.start_user().server()
    during = project.manage("embedded_db", "status")

    server = house.server()
    assert during.exit_code == 0
    assert f"running, PostgreSQL {server.version}, pid {pid}" in during.out
    assert f"-h {server.socket_folder} -U postgres postgres" in during.out
    assert f"{house.folder / 'data'}" in during.out
    assert " MB" in during.out


def test_stop_stops_and_says_so_when_there_was_nothing_to_stop(project: Project, house: EmbeddedServer) -> None:
    house.start_user().server()

    assert project.manage("embedded_db", "stop").out == "stopped\n"
    assert project.manage("embedded_db", "stop").out == "was not running\n"
    assert not house.is_running()


@pytest.mark.parametrize("action", ["stop", "status"])
def test_a_database_that_is_not_embedded_is_never_touched(project: Project, house: EmbeddedServer, action: str) -> None:
    house.start_user().server()

    ended = project.manage("embedded_db", action, ENGINE="django.db.backends.postgresql")

    assert ended.exit_code == 2
    assert ended.err.count("\n") == 1
    assert "nothing was touched" in ended.err
    assert house.is_running()
