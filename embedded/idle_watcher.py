"""The watcher: `python -m embedded.idle_watcher FOLDER --after SECONDS`, on its own, for as long as the server lives.

It waits until the last user has gone, and stops the server when nobody came back for so long. While it decides, it
holds users.lock exclusively: whoever comes now waits until the server has gone, and starts it again. Who was killed
needs no goodbye, because the kernel gives the locks back; if the watcher is killed, the next user starts another.
"""

import argparse
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
from embedded.file_locks import EXCLUSIVE, SHARED, try_lock, wait_for_lock
from embedded.postmaster import find_ready_postmaster, request_shutdown
from embedded.server_folder import PORT, ServerFolder, remove_external_socket_folder, resolve_server_folder

_COUNT_CLIENTS = (
    "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
)


def start_watcher(server_folder: ServerFolder, watcher_lock: int, idle_after: timedelta) -> None:
    """Starts the watcher, which inherits its lock, in a session of its own. Should that fail, the next user tries."""
    program = [sys.executable, "-m", "embedded.idle_watcher", str(server_folder.path)]
    options = [f"--after={idle_after.total_seconds()}", f"--lock={watcher_lock}"]
    package = str(Path(__file__).parent.parent)
    path = os.pathsep.join(filter(None, [package, os.environ.get("PYTHONPATH")]))
    subprocess.run(  # noqa: S603  # this very module
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
    threading.Thread(target=_stop_when_idle, args=(server_folder, options.after), daemon=True).start()
    server_lock = wait_for_lock(
        server_folder.server_lock, SHARED
    )  # comes when the last process of the cluster has gone
    remove_external_socket_folder(server_folder)
    # First this one: who starts the next server after that must find the watcher gone.
    os.close(watcher_lock)
    os.close(server_lock)


def _stop_when_idle(server_folder: ServerFolder, idle_after: float) -> None:
    """Asks the server to stop; the main thread sees it go, and with our end the users' lock is free again."""
    while True:
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
                return
        os.close(exclusive_lock)


def _has_clients(server_folder: ServerFolder) -> bool:
    """Whether somebody is connected without holding the lock, as psql does; in doubt, yes."""
    import psycopg  # only now: the watcher waits for hours, and should be small meanwhile

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
