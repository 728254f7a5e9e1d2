"""The object storage starts on demand, is shared, and stops when it is unused."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from django.core.management import call_command
from pytest_django import Settings

from embedded import errors
from embedded.object_storage import server
from embedded.object_storage.server import ObjectStorage, find_running, stop
from embedded.server_folder import resolve_server_folder
from tests.embedded.server_processes import CHECKOUT, is_gone, kill, wait_until

pytestmark = pytest.mark.slow

_USER_SCRIPT = """
import json, sys
from datetime import timedelta
from embedded.object_storage.server import ensure_running
options = json.loads(sys.argv[2])
storage = ensure_running(
    sys.argv[1], idle_after=timedelta(seconds=options["idle_after"]), keeps_data=options["keeps_data"]
)
print(storage.pid, flush=True)
sys.stdin.readline()
"""


class StorageUser:
    """A process that needs the storage until it is finished."""

    def __init__(self, folder: Path, *, idle_after: float = 900, keeps_data: bool = True) -> None:
        options = json.dumps({"idle_after": idle_after, "keeps_data": keeps_data})
        self.process = subprocess.Popen(
            [sys.executable, "-c", _USER_SCRIPT, str(folder), options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
        )

    def server_pid(self) -> int:
        assert self.process.stdout
        line = self.process.stdout.readline()
        return int(line) if line else pytest.fail(self.finish())

    def finish(self) -> str:
        """End the process. Return what it printed to stderr."""
        _, err = self.process.communicate(timeout=60)
        return err


class Storage:
    """The folder of one server, with its users."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.users: list[StorageUser] = []

    def start_user(self, *, idle_after: float = 900, keeps_data: bool = True) -> StorageUser:
        user = StorageUser(self.folder, idle_after=idle_after, keeps_data=keeps_data)
        self.users.append(user)
        return user

    def use(self, *, idle_after: float = 900, keeps_data: bool = True) -> ObjectStorage:
        """Let a process use the server and end. Return the server."""
        self.start_user(idle_after=idle_after, keeps_data=keeps_data).finish()
        return self.running()

    def running(self) -> ObjectStorage:
        found = find_running(self.folder)
        assert found
        return found


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[Storage]:
    """A folder without a server. At the end, none runs."""
    storage = Storage(tmp_path / "var" / "it's a folder, 100%")
    yield storage
    for user in storage.users:
        user.finish()
    running = find_running(storage.folder)
    stop(storage.folder)
    assert running is None or is_gone(running.pid)


@pytest.fixture
def installer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A script instead of the one that installs Swift."""
    script = tmp_path / "swift"
    script.touch(0o755)
    monkeypatch.setattr(server, "_INSTALL", script)
    return script


def test_concurrent_first_users_share_one_server(storage: Storage) -> None:
    users = [storage.start_user() for _ in range(4)]

    assert len({user.server_pid() for user in users}) == 1
    announced = f"object storage started in {storage.folder} ({storage.running().endpoint_url})\n"
    assert "".join(user.finish() for user in users) == announced


def test_server_runs_as_the_account_of_its_folder(storage: Storage) -> None:
    account = resolve_server_folder(storage.folder).account

    assert psutil.Process(storage.use().pid).uids().real == account.uid != 0


def test_idle_server_stops_and_keeps_its_address_and_data(storage: Storage) -> None:
    (user := storage.start_user(idle_after=0.2)).server_pid()
    first = storage.running()
    (storage.folder / "data" / "kept").touch()
    user.finish()
    wait_until(lambda: is_gone(first.pid))
    assert find_running(storage.folder) is None

    assert storage.use().settings() == first.settings()
    assert (storage.folder / "data" / "kept").exists()


def test_request_keeps_the_server_without_users(storage: Storage) -> None:
    running = storage.use(idle_after=1)
    process = psutil.Process(running.pid)

    def is_old_enough() -> bool:
        with pytest.raises(urllib.error.HTTPError):
            urllib.request.urlopen(running.endpoint_url, timeout=10)  # noqa: S310  # its own server
        return time.time() - process.create_time() > 3

    wait_until(is_old_enough)


def test_killed_server_is_started_again(storage: Storage) -> None:
    first = storage.use()

    kill(first.pid)
    assert find_running(storage.folder) is None

    second = storage.use()
    assert second.pid != first.pid
    assert second.settings() == first.settings()


def test_taken_port_is_replaced(storage: Storage) -> None:
    first = storage.use()
    stop(storage.folder)

    with socket.create_server(("127.0.0.1", int(first.endpoint_url.rpartition(":")[2]))):
        assert storage.use().endpoint_url != first.endpoint_url


def test_temporary_storage_is_empty_after_each_start(storage: Storage) -> None:
    storage.use()
    (storage.folder / "data" / "old").touch()
    stop(storage.folder)

    storage.use(keeps_data=False)

    assert not (storage.folder / "data" / "old").exists()


def test_stop_without_a_server_changes_nothing(storage: Storage) -> None:
    assert not stop(storage.folder)
    assert not storage.folder.exists()


def test_failed_installation_is_one_line(storage: Storage, installer: Path) -> None:
    installer.write_text("#!/bin/sh\necho first >&2; echo no index >&2; exit 1\n")

    with pytest.raises(errors.SwiftNotInstalled, match="was not installed: no index. Run .*/swift to see all of it"):
        server.ensure_running(storage.folder)


def test_failed_start_is_reported_with_the_last_line_of_the_log(storage: Storage, installer: Path) -> None:
    installer.write_text("#!/bin/sh\necho /bin/false\n")

    with pytest.raises(errors.ObjectStorageNotStarted, match="did not start: it said nothing. See .*server.log"):
        server.ensure_running(storage.folder)


@pytest.mark.parametrize("case", [("status", 1, ""), ("stop", 0, "was not running\n")])
def test_command_without_a_server_starts_none(
    storage: Storage, settings: Settings, capsys: pytest.CaptureFixture[str], case: tuple[str, int, str]
) -> None:
    settings.EMBEDDED_OBJECT_STORAGE = storage.folder
    action, code, output = case

    assert (run_command(action), capsys.readouterr().out) == (code, output)
    assert not storage.folder.exists()


def test_command_prints_the_settings_for_a_shell(
    storage: Storage, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.EMBEDDED_OBJECT_STORAGE = storage.folder
    running = storage.use()

    assert run_command("start") == 0
    assert f"export S3_ENDPOINT_URL={running.endpoint_url}\n" in capsys.readouterr().out
    assert run_command("stop") == 0
    assert capsys.readouterr().out == "stopped\n"


def run_command(action: str) -> int:
    """Run the command in this process. Return its exit code."""
    try:
        call_command("embedded_s3", action)
    except SystemExit as end:
        return int(str(end.code))
    return 0
