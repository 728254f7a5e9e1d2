"""The watcher: `python -m embedded.idle FOLDER --after SECONDS`, on its own, for as long as the server lives.

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

from embedded import launch
from embedded.errors import EmbeddedError
from embedded.locks import EXCLUSIVE, SHARED, lock, try_lock
from embedded.place import PORT, Place, clear_socket_folder, find
from embedded.signals import answering, ask_to_stop

_CLIENTS = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"


def start_watching(place: Place, watcher_lock: int, after: timedelta) -> None:
    """Starts the watcher, which inherits its lock, in a session of its own. Should that fail, the next user tries."""
    watcher = [sys.executable, "-m", "embedded.idle", str(place.folder)]
    options = [f"--after={after.total_seconds()}", f"--lock={watcher_lock}"]
    package = str(Path(__file__).parent.parent)
    path = os.pathsep.join(filter(None, [package, os.environ.get("PYTHONPATH")]))
    subprocess.run(  # noqa: S603  # this very module
        [sys.executable, "-I", "-S", launch.__file__, "--detach", "--", *watcher, *options],
        pass_fds=[watcher_lock],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/",
        env={**os.environ, "PYTHONPATH": path},
        check=False,
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m embedded.idle", description="Stops an idle embedded PostgreSQL.")
    parser.add_argument("folder")
    parser.add_argument("--after", type=float, default=900.0, help="seconds without a user")
    parser.add_argument("--lock", type=int, help="descriptor of the watcher's lock, where it was inherited")
    asked = parser.parse_args()
    place = find(asked.folder)
    watcher_lock = asked.lock
    if watcher_lock is None:
        watcher_lock = try_lock(place.watcher_lock, EXCLUSIVE, uid=place.account.uid)
    if watcher_lock is None:
        sys.exit(f"{place} is already watched")
    threading.Thread(target=_stop_when_idle, args=(place, asked.after), daemon=True).start()
    server_lock = lock(place.server_lock, SHARED)  # comes when the last process of the cluster has gone
    clear_socket_folder(place)
    # First this one: who starts the next server after that must find the watcher gone.
    os.close(watcher_lock)
    os.close(server_lock)


def _stop_when_idle(place: Place, after: float) -> None:
    """Asks the server to stop; the main thread sees it go, and with our end the users' lock is free again."""
    while True:
        users = lock(place.users_lock, EXCLUSIVE)
        before = os.fstat(users).st_mtime_ns
        os.close(users)
        time.sleep(after)
        again = try_lock(place.users_lock, EXCLUSIVE, uid=place.account.uid)
        if again is None:
            continue
        with suppress(EmbeddedError, OSError):
            if os.fstat(again).st_mtime_ns == before and not _has_clients(place) and ask_to_stop(place):
                return
        os.close(again)


def _has_clients(place: Place) -> bool:
    """Whether somebody is connected without holding the lock, as psql does; in doubt, yes."""
    import psycopg  # only now: the watcher waits for hours, and should be small meanwhile

    with suppress(psycopg.Error):
        if found := answering(place):
            with psycopg.connect(
                host=str(found.socket_folder), port=PORT, user="postgres", dbname="postgres"
            ) as connection:
                row = connection.execute(_CLIENTS).fetchone()
                return row is None or row[0] > 0
    return True


if __name__ == "__main__":
    main()
