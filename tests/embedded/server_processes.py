"""Processes that use an embedded server."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psutil
import psycopg

from embedded import binaries
from embedded.account_programs import run_program
from embedded.file_locks import is_locked_exclusively, poll_until
from embedded.server import Server, status, stop
from embedded.server_folder import resolve_server_folder

CHECKOUT = Path(__file__).resolve().parent.parent.parent
IS_ROOT = os.geteuid() == 0
FAST_SETTINGS = {"fsync": "off", "shared_buffers": "16MB"}
_MAX_WAIT_SECONDS = 30.0  # seconds after which a test fails

_USER_SCRIPT = """
import json, sys
from datetime import timedelta
from embedded.server import ensure_running
folder, options = sys.argv[1], json.loads(sys.argv[2])
arguments = {"settings": options["settings"], "idle_after": timedelta(seconds=options["idle_after"])}
while True:
    server = ensure_running(folder, options["bootstrap"], **arguments)
    print(json.dumps([str(server.socket_folder), server.pid]), flush=True)
    if not sys.stdin.readline():
        break
"""


@dataclass(frozen=True, kw_only=True)
class CompletedProcess:
    """The result of a process."""

    exit_code: int
    out: str
    err: str


class ServerUser:
    """A process that needs the server until it is finished or killed."""

    def __init__(self, folder: Path, environment: Mapping[str, str], **options: Any) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", _USER_SCRIPT, str(folder), json.dumps(options)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**environment, "PYTHONPATH": str(CHECKOUT)},
        )
        self.folder = folder

    def server(self) -> tuple[Path, int]:
        """Wait for the server. Return its socket folder and postmaster pid."""
        assert self.process.stdout
        line = self.process.stdout.readline()
        if not line:
            raise AssertionError(self.finish().err)
        socket_folder, pid = json.loads(line)
        return Path(socket_folder), pid

    def server_again(self) -> tuple[Path, int]:
        """Let the process request the server again. Return its socket folder and pid."""
        assert self.process.stdin
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return self.server()

    def finish(self) -> CompletedProcess:
        out, err = self.process.communicate(timeout=_MAX_WAIT_SECONDS)
        return CompletedProcess(exit_code=self.process.returncode, out=out, err=err)

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


class EmbeddedServer:
    """The folder of one server, with all of its users."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.users: list[ServerUser] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for user in self.users:
            if user.process.stdout and not user.process.stdout.closed:
                user.kill()
        if self.folder.exists():
            stop(self.folder)
        wait_until(lambda: not self.processes())

    def copied_from(self, template: Path) -> Self:
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["cp", "-a", template, self.folder], check=True)
        return self

    def start_user(
        self,
        *,
        bootstrap: Sequence[Path] = (),
        settings: Mapping[str, str] | None = None,
        idle_after: float = 900,
        environment: Mapping[str, str] | None = None,
    ) -> ServerUser:
        options = {
            "bootstrap": [str(file) for file in bootstrap],
            "settings": settings or FAST_SETTINGS,
            "idle_after": idle_after,
        }
        user = ServerUser(self.folder, os.environ if environment is None else environment, **options)
        self.users.append(user)
        return user

    def processes(self) -> list[psutil.Process]:
        """Return the processes of PostgreSQL and of tests that name this folder."""
        return [process for process in psutil.process_iter() if str(self.folder) in _command(process)]

    def watcher(self) -> psutil.Process | None:
        watchers = [process for process in self.processes() if "embedded.idle_watcher" in _command(process)]
        return (
            watchers[0] if watchers and is_locked_exclusively(resolve_server_folder(self.folder).watcher_lock) else None
        )

    def is_running(self) -> bool:
        return status(self.folder).server is not None

    def server(self) -> Server:
        running_server = status(self.folder).server
        assert running_server
        return running_server

    def pg_ctl(self, *arguments: str) -> None:
        """Run pg_ctl as an administrator does, without a lock."""
        server_folder = resolve_server_folder(self.folder)
        program = [str(binaries.folder() / "pg_ctl"), f"--pgdata={server_folder.data}", *arguments]
        with Path(os.devnull).open() as no_lock:
            exit_code = run_program(server_folder, program, no_lock.fileno())
        assert exit_code == 0, server_folder.log.read_text()

    def postmaster_pid(self) -> int:
        """Return the process id in postmaster.pid."""
        return int((self.folder / "data" / "postmaster.pid").read_text().splitlines()[0])

    def connect(self) -> "psycopg.Connection[tuple[Any, ...]]":
        """Connect like psql, without a lock on the server."""
        server = self.server()
        return psycopg.connect(
            host=str(server.socket_folder), port=server.port, user=server.user, dbname="postgres", autocommit=True
        )


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: is_gone(pid))


def is_gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def wait_until(condition: Callable[[], object]) -> None:
    def check() -> bool | None:
        with suppress(psutil.NoSuchProcess):
            return bool(condition()) or None
        return None

    assert poll_until(check, _MAX_WAIT_SECONDS), f"not within {_MAX_WAIT_SECONDS} s"


def _command(process: psutil.Process) -> str:
    with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
        return "" if process.status() == psutil.STATUS_ZOMBIE else "\0".join(process.cmdline())
    return ""
