"""One shared object storage: `ensure_running` and `stop`.

`ensure_running` registers this process as a user until it ends, and starts the server unless it is ready.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from embedded.account_programs import run_program
from embedded.announce import announce
from embedded.errors import ObjectStorageNotStarted, ServerInOtherContainer, ServerNotStopped, SwiftNotInstalled
from embedded.file_locks import (
    EXCLUSIVE,
    MAX_WAIT_SECONDS,
    is_locked_exclusively,
    poll_until,
    try_lock,
    unlock_on_exit,
    wait_for_lock,
)
from embedded.server_folder import ServerFolder, create_folder, resolve_server_folder, translate_os_errors
from embedded.shared_use import become_user, holding_start_lock, is_user, one_thread

FolderPath = str | os.PathLike[str]
DEFAULT_IDLE_AFTER = timedelta(minutes=15)
_HERE = Path(__file__).resolve().parent
_CHECKOUT = _HERE.parent.parent
_INSTALL = _CHECKOUT / "requirements" / "swift"


@dataclass(frozen=True, kw_only=True)
class ObjectStorage:
    """A server that is ready, and the keys of its only account, which may do everything."""

    folder: Path
    pid: int
    endpoint_url: str
    access_key_id: str
    secret_access_key: str
    region: str = "us-east-1"

    def settings(self) -> dict[str, str]:
        """Return the settings with which `data_pipeline` uses it."""
        return {
            "S3_ENDPOINT_URL": self.endpoint_url,
            "S3_REGION": self.region,
            "S3_ACCESS_KEY_ID": self.access_key_id,
            "S3_SECRET_ACCESS_KEY": self.secret_access_key,
        }


def ensure_running(
    folder: FolderPath, *, idle_after: timedelta = DEFAULT_IDLE_AFTER, keeps_data: bool = True
) -> ObjectStorage:
    """Return the running server of the folder, and start it if necessary. Swift is installed before, if it is missing.

    It keeps running as long as this process. Without `keeps_data`, it is empty after each start.
    """
    with translate_os_errors(folder), one_thread:
        server_folder = resolve_server_folder(folder)
        if is_user(server_folder) and (running := _find_ready(server_folder)):
            return running
        create_folder(server_folder)
        become_user(server_folder)
        with holding_start_lock(server_folder):
            return _find_ready(server_folder) or _start(server_folder, idle_after, keeps_data=keeps_data)


def find_running(folder: FolderPath) -> ObjectStorage | None:
    """Return the server of the folder if it is ready. Changes nothing."""
    with translate_os_errors(folder):
        return _find_ready(resolve_server_folder(folder))


def stop(folder: FolderPath) -> bool:
    """Stop the server even if it is used, and return whether it ran."""
    with translate_os_errors(folder):
        server_folder = resolve_server_folder(folder)
        if not is_locked_exclusively(server_folder.server_lock):
            return False
        with holding_start_lock(server_folder):
            if running := _find_ready(server_folder):
                _terminate(server_folder, running.pid)
            lock = poll_until(lambda: _try_server_lock(server_folder), MAX_WAIT_SECONDS)
            if lock is None:
                raise ServerNotStopped(folder=server_folder, seconds=MAX_WAIT_SECONDS, log=server_folder.log)
            os.close(lock)
        return True


def _find_ready(server_folder: ServerFolder) -> ObjectStorage | None:
    """Return the server if its process is alive and has written its facts."""
    if not is_locked_exclusively(server_folder.server_lock):
        return None
    with suppress(FileNotFoundError):
        facts = json.loads(_facts_file(server_folder).read_text())
        return ObjectStorage(
            folder=server_folder.path,
            pid=facts["pid"],
            endpoint_url=f"http://127.0.0.1:{facts['port']}",
            access_key_id=facts["access_key_id"],
            secret_access_key=facts["secret_access_key"],
        )
    return None


def _start(server_folder: ServerFolder, idle_after: timedelta, *, keeps_data: bool) -> ObjectStorage:
    python = _install_swift()
    found = poll_until(lambda: _ready_or_lock(server_folder), MAX_WAIT_SECONDS)
    if found is None:
        raise ServerNotStopped(folder=server_folder, seconds=MAX_WAIT_SECONDS, log=server_folder.log)
    running, lock = found
    if running:  # started by a process that was killed before it was ready
        return running
    log_begins = server_folder.log.stat().st_size if server_folder.log.exists() else 0
    try:
        with suppress(FileNotFoundError):  # of a server that was killed
            _facts_file(server_folder).replace(server_folder.path / "last.json")
        if not keeps_data:
            shutil.rmtree(server_folder.data, ignore_errors=True)
        create_folder(replace(server_folder, path=server_folder.data))
        options = [str(server_folder.path), f"--idle-after={idle_after.total_seconds()}"]
        run_program(
            server_folder, [python, str(_HERE / "swift_process.py"), *options], lock, detach=True, reads=[str(_HERE)]
        )
    finally:
        os.close(lock)  # the server still holds the lock
    poll_until(lambda: bool(_find_ready(server_folder)) or _has_ended(server_folder) or None, MAX_WAIT_SECONDS)
    if not (running := _find_ready(server_folder)):
        reason = _last_line_of(server_folder.log, log_begins)
        raise ObjectStorageNotStarted(folder=server_folder, reason=reason, log=server_folder.log)
    announce(f"object storage started in {server_folder} ({running.endpoint_url})")
    return running


def _ready_or_lock(server_folder: ServerFolder) -> tuple[ObjectStorage | None, int] | None:
    """Return the server if it is ready, otherwise its lock if it has ended, otherwise None."""
    if running := _find_ready(server_folder):
        return running, -1
    lock = _try_server_lock(server_folder)
    return None if lock is None else (None, lock)


def _has_ended(server_folder: ServerFolder) -> bool:
    return not is_locked_exclusively(server_folder.server_lock)


def _try_server_lock(server_folder: ServerFolder) -> int | None:
    return try_lock(server_folder.server_lock, EXCLUSIVE, uid=server_folder.account.uid)


def _terminate(server_folder: ServerFolder, pid: int) -> None:
    """Send SIGTERM to the server. It works in its data folder, unless it is in another container."""
    with suppress(OSError):
        if Path(f"/proc/{pid}/cwd").samefile(server_folder.data):
            os.kill(pid, signal.SIGTERM)
            return
    if is_locked_exclusively(server_folder.server_lock):
        raise ServerInOtherContainer(folder=server_folder)


def _install_swift() -> str:
    """Install Swift into its environment, unless it is there, and return the Python of that environment."""
    (_CHECKOUT / "var").mkdir(exist_ok=True)
    with unlock_on_exit(wait_for_lock(_CHECKOUT / "var" / "swift.lock", EXCLUSIVE)):
        installed = subprocess.run(  # noqa: S603  # this checkout's script
            [_INSTALL], capture_output=True, text=True, check=False, env={"PYTHON": sys.executable, **os.environ}
        )
    if installed.returncode != 0:
        lines = installed.stderr.strip().splitlines() or ["it said nothing"]
        raise SwiftNotInstalled(command=_INSTALL, reason=lines[-1])
    return installed.stdout.strip()


def _facts_file(server_folder: ServerFolder) -> Path:
    return server_folder.path / "server.json"


def _last_line_of(log: Path, offset: int) -> str:
    with log.open(errors="replace") as file:
        file.seek(offset)
        lines = [line.strip() for line in file if line.strip()]
    return lines[-1] if lines else "it said nothing"
