"""A PostgreSQL server that tests can stop, restart and configure."""

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
from embedded.file_locks import is_locked_exclusively, poll_until
from embedded.server_folder import ServerFolder, resolve_server_folder, translate_os_errors

MAX_WAIT_SECONDS = 60.0  # seconds after which a test fails
# Commits are synchronous, so that committed data survives an immediate stop.
DEFAULT_SETTINGS = {"fsync": "off", "autovacuum": "off", "deadlock_timeout": "50ms", "shared_buffers": "16MB"}


def wait_until(condition: Callable[[], object]) -> None:
    """Wait until a condition holds."""
    assert poll_until(lambda: condition() or None, MAX_WAIT_SECONDS), f"not within {MAX_WAIT_SECONDS} s"


class PrivateServer:
    """A cluster used only by these tests. It runs under an account that PostgreSQL accepts, and stops by itself soon
    after the tests were killed.
    """

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder = folder
        self._default_settings = {**DEFAULT_SETTINGS, **settings}
        self._running_settings: dict[str, str] = {}  # settings of the running server

    @property
    def server_folder(self) -> ServerFolder:
        return resolve_server_folder(self.folder)

    @property
    def socket_folder(self) -> Path:
        return self.server_folder.socket_folder()

    @property
    def log(self) -> str:
        return self.server_folder.log.read_text(errors="replace")

    @property
    def is_running(self) -> bool:
        return self.folder.exists() and is_locked_exclusively(self.server_folder.server_lock)

    def start(self, **settings: str) -> None:
        """Start with additional settings.

        This has no effect if the server already runs with exactly these.
        """
        new_settings = {**self._default_settings, **settings}
        if self.is_running and new_settings != self._running_settings:
            self.stop()
        server.ensure_running(self.folder, settings=new_settings, idle_after=timedelta(seconds=20))
        self._running_settings = new_settings

    def stop(self, *, immediately: bool = False) -> None:
        """Shut down in fast mode, or immediately like a crash."""
        running_server = server.status(self.folder).server
        if immediately and running_server:
            os.kill(running_server.pid, signal.SIGQUIT)
            wait_until(lambda: not self.is_running)
        server.stop(self.folder)

    def restart(self, *, immediately: bool = False, **settings: str) -> None:
        self.stop(immediately=immediately)
        connections.close_all()
        self.start(**settings)

    def become_standby(self) -> None:
        """Restart as a standby, which only replays WAL."""
        self.stop()
        connections.close_all()
        (self.server_folder.data / "standby.signal").touch()
        self.start()

    def become_primary(self) -> None:
        """Make sure that the cluster is not a standby."""
        with translate_os_errors(self.folder):
            standby_file = self.server_folder.data / "standby.signal"
            if standby_file.exists():
                self.stop()
                standby_file.unlink()

    def django_settings(self, database: str, user: str = "postgres") -> dict[str, Any]:
        """Return the address of a database as Django settings."""
        return {"HOST": str(self.socket_folder), "PORT": "5432", "NAME": database, "USER": user, "PASSWORD": ""}

    @contextmanager
    def session(self, database: str = "postgres") -> "Iterator[psycopg.Connection[Any]]":
        """Open a connection in autocommit mode, independent of Django."""
        host = str(self.socket_folder)
        with psycopg.connect(host=host, port=5432, user="postgres", dbname=database, autocommit=True) as session:
            yield session

    def drop_everything(self, database: str) -> None:
        """Drop the database, tablespaces and roles of a test."""
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
    """Use this database as Django's `default` in all threads."""
    previous_settings, previous_connection = connections.settings[alias], connections[alias]
    connections.close_all()
    connections.settings[alias] = {**previous_settings, "ENGINE": "django.db.backends.postgresql", **address}
    del connections[alias]
    try:
        yield
    finally:
        connections.close_all()
        connections.settings[alias] = previous_settings
        connections[alias] = previous_connection
