"""The watcher process: `python -m embedded.idle_watcher FOLDER --after SECONDS`. It lives as long as the server.

It stops the server when no process has used it for that time. Meanwhile it holds users.lock exclusively: a new user
waits until the server has stopped, and starts it again. A killed user releases its lock; if the watcher is killed, the
next user starts another.
"""

import argparse
import fcntl
import os
import subprocess
import sys
import threading
import time
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from embedded import unprivileged_launcher
from embedded.errors import EmbeddedError
from embedded.file_locks import EXCLUSIVE, SHARED, is_same_file, try_lock, wait_for_lock
from embedded.postmaster import find_ready_postmaster, has_processes, request_shutdown
from embedded.server_folder import PORT, ServerFolder, remove_socket_folder, resolve_server_folder

_CHECK_SECONDS = 1.0
_COUNT_CLIENTS = (
    "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
)


def start_watcher(server_folder: ServerFolder, watcher_lock: int, idle_after: timedelta) -> None:
    """Start the watcher, which inherits its lock, in its own session. If this fails, the next user tries again."""
    program = [sys.executable, "-m", "embedded.idle_watcher", str(server_folder.path)]
    options = [f"--after={idle_after.total_seconds()}", f"--lock={watcher_lock}"]
    package = str(Path(__file__).parent.parent)
    path = os.pathsep.join(filter(None, [package, os.environ.get("PYTHONPATH")]))
    subprocess.run(  # noqa: S603  # this module
        [sys.executable, "-I", "-S", unprivileged_launcher.__file__, "--detach", "--", *program, *options],
        pass_fds=[watcher_lock],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/",
        env={**os.environ, "PYTHONPATH": path},
        check=False,
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m embedded.idle_watcher", description="Stops an idle embedded PostgreSQL."
    )
    parser.add_argument("folder")
    parser.add_argument("--after", type=float, default=900.0, help="seconds without a user")
    parser.add_argument("--lock", type=int, help="descriptor of the watcher's lock, where it was inherited")
    options = parser.parse_args()
    server_folder = resolve_server_folder(options.folder)
    watcher_lock = options.lock
    if watcher_lock is None:
        watcher_lock = try_lock(server_folder.watcher_lock, EXCLUSIVE, uid=server_folder.account.uid)
    if watcher_lock is None:
        sys.exit(f"{server_folder} is already watched")
    socket_folder = server_folder.socket_folder()  # before a folder at the same path can replace this one
    is_stopped = threading.Event()
    arguments = server_folder, options.after, watcher_lock, is_stopped
    threading.Thread(target=_stop_when_idle, args=arguments, daemon=True).start()
    server_lock = _wait_for_end(server_folder)
    if is_stopped.is_set():  # otherwise it may be starting again manually
        remove_socket_folder(socket_folder)
    # Released first: the process that starts the next server must not find this watcher.
    os.close(watcher_lock)
    os.close(server_lock)


def _wait_for_end(server_folder: ServerFolder) -> int:
    """Wait until the last process of the server has ended. Return the server's lock."""
    lock = wait_for_lock(server_folder.server_lock, SHARED)
    while is_same_file(server_folder.server_lock, lock) and has_processes(server_folder):
        fcntl.flock(lock, fcntl.LOCK_UN)
        time.sleep(_CHECK_SECONDS)  # a server that was restarted manually does not hold the lock
        fcntl.flock(lock, SHARED)
    return lock


def _stop_when_idle(
    server_folder: ServerFolder, idle_after: float, watcher_lock: int, is_stopped: threading.Event
) -> None:
    """Stop the server. The main thread sees it end; the end of this process releases the users' lock.

    A folder that was created again at this path has its own watcher.
    """
    while is_same_file(server_folder.watcher_lock, watcher_lock):
        users_lock = wait_for_lock(server_folder.users_lock, EXCLUSIVE)
        last_used_ns = os.fstat(users_lock).st_mtime_ns
        os.close(users_lock)
        time.sleep(idle_after)
        exclusive_lock = try_lock(server_folder.users_lock, EXCLUSIVE, uid=server_folder.account.uid)
        if exclusive_lock is None:
            continue
        with suppress(EmbeddedError, OSError):
            if (
                os.fstat(exclusive_lock).st_mtime_ns == last_used_ns
                and not _has_clients(server_folder)
                and request_shutdown(server_folder)
            ):
                is_stopped.set()
                return
        os.close(exclusive_lock)


def _has_clients(server_folder: ServerFolder) -> bool:
    """Return whether a client such as psql is connected without holding the lock. True if unknown."""
    import psycopg  # imported late: the watcher waits for hours and should need little memory

    with suppress(psycopg.Error):
        if postmaster := find_ready_postmaster(server_folder):
            with psycopg.connect(
                host=str(postmaster.socket_folder), port=PORT, user="postgres", dbname="postgres"
            ) as connection:
                row = connection.execute(_COUNT_CLIENTS).fetchone()
                return row is None or row[0] > 0
    return True


if __name__ == "__main__":
    main()
