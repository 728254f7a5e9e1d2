"""A PostgreSQL server of the tests' own, to be stopped, restarted and set as they like, and Django pointed at it."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
from django.db import connections

from embedded import server
from embedded.locks import is_taken, wait_for
from embedded.place import Place, find, in_one_line

PATIENCE = 25.0  # seconds: how long anything may take before a test fails
# Commits are not asynchronous: what was committed has to be there after an immediate stop too.
USUAL = {"fsync": "off", "autovacuum": "off", "deadlock_timeout": "50ms", "shared_buffers": "16MB"}


def until(condition: Callable[[], object]) -> None:
    """Look again until it holds."""
    assert wait_for(lambda: condition() or None, PATIENCE), f"not within {PATIENCE} s"


class PrivateServer:
    """One cluster, whose server nobody else uses. It runs as whatever account PostgreSQL accepts, and stops by itself
    soon after the tests were killed."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder = folder
        self._usual = {**USUAL, **settings}
        self._settings: dict[str, str] = {}  # of the server as it runs

    @property
    def place(self) -> Place:
        return find(self.folder)

    @property
    def socket_folder(self) -> Path:
        return self.place.socket_folder()

    @property
    def log(self) -> str:
        return self.place.log.read_text(errors="replace")

    @property
    def is_running(self) -> bool:
        return self.folder.exists() and is_taken(self.place.server_lock)

    def start(self, **settings: str) -> None:
        """With these settings besides the usual ones; nothing, where it runs with exactly them."""
        wanted = {**self._usual, **settings}
        if self.is_running and wanted != self._settings:
            self.stop()
        server.ensure_running(self.folder, settings=wanted, idle_after=timedelta(seconds=20))
        self._settings = wanted

    def stop(self, *, immediately: bool = False) -> None:
        """A fast shutdown, which ends sessions and writes everything; or an immediate one, which is like a crash."""
        found = server.status(self.folder).server
        if immediately and found:
            os.kill(found.pid, signal.SIGQUIT)
            until(lambda: not self.is_running)
        server.stop(self.folder)

    def restart(self, *, immediately: bool = False, **settings: str) -> None:
        self.stop(immediately=immediately)
        connections.close_all()
        self.start(**settings)

    def follow(self) -> None:
        """Go on as a standby, which only replays what a primary sends it."""
        self.stop()
        connections.close_all()
        (self.place.data / "standby.signal").touch()
        self.start()

    def lead(self) -> None:
        """Be no standby, whatever went before."""
        with in_one_line(self.folder):
            note = self.place.data / "standby.signal"
            if note.exists():
                self.stop()
                note.unlink()

    def address(self, database: str, user: str = "postgres") -> dict[str, Any]:
        """What Django calls it."""
        return {"HOST": str(self.socket_folder), "PORT": "5432", "NAME": database, "USER": user, "PASSWORD": ""}

    @contextmanager
    def session(self, database: str = "postgres") -> "Iterator[psycopg.Connection[Any]]":
        """A connection in autocommit, whatever Django is pointed at."""
        host = str(self.socket_folder)
        with psycopg.connect(host=host, port=5432, user="postgres", dbname=database, autocommit=True) as session:
            yield session

    def forget(self, database: str) -> None:
        """Leave nothing of a test: its database, tablespaces and roles go."""
        with self.session() as session:
            session.execute(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)".encode())
            for kind, names in (
                ("TABLESPACE", "SELECT spcname FROM pg_tablespace WHERE spcname !~ '^pg_'"),
                ("ROLE", "SELECT rolname FROM pg_roles WHERE rolname !~ '^pg_' AND rolname <> 'postgres'"),
            ):
                for (name,) in session.execute(names.encode()).fetchall():
                    session.execute(f"DROP {kind} {name}".encode())


@contextmanager
def default_database(address: dict[str, Any], *, alias: str = "default") -> Iterator[None]:
    """Inside, Django's `default`, or another alias, is this one, in every thread that begins to use it."""
    before, here = connections.settings[alias], connections[alias]
    connections.close_all()
    connections.settings[alias] = {**before, "ENGINE": "django.db.backends.postgresql", **address}
    del connections[alias]
    try:
        yield
    finally:
        connections.close_all()
        connections.settings[alias] = before
        connections[alias] = here
