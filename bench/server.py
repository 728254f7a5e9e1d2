"""A new embedded PostgreSQL server, with one database for each workload."""

import os
import re
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from bench import relay
from bench.options import WORK
from embedded import binaries, server

FOLDER = WORK / "postgres"

# All other settings are the defaults of initdb. Commits are durable and parallel plans allowed, as usual. Background
# work that would start during a turn is off and runs between turns.
SETTINGS: Mapping[str, str] = {
    "shared_buffers": "1GB",
    "work_mem": "64MB",
    "maintenance_work_mem": "256MB",
    "max_wal_size": "8GB",
    "checkpoint_timeout": "1h",
    "autovacuum": "off",
    "max_connections": "100",
}


_MAX_IDLE_WAIT = 10.0  # seconds
_BACKEND = re.compile(r"\[local\]|parallel worker")  # in the title of a process; clients use the socket


def _process_title(pid: str) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text(errors="replace")
    except FileNotFoundError:  # it was counted meanwhile
        return "ended"


class BenchServer:
    """The running server."""

    def __init__(self, *, keep: bool) -> None:
        if not keep:
            self.stop()
            shutil.rmtree(FOLDER, ignore_errors=True)
        self._server = server.ensure_running(FOLDER, settings=SETTINGS)
        self._contenders_host = self.host

    @cached_property
    def version(self) -> str:
        return self._server.version

    @property
    def psql(self) -> Path:
        return binaries.folder() / "psql"

    @property
    def log(self) -> Path:
        return FOLDER / "server.log"

    @property
    def host(self) -> Path:
        return self._server.socket_folder

    def libpq_variables(self, database: str) -> dict[str, str]:
        """Return the variables with which libpq finds the database."""
        return {
            "PGHOST": str(self._contenders_host),
            "PGPORT": str(self._server.port),
            "PGUSER": self._server.user,
            "PGDATABASE": database,
        }

    def django_variables(self, database: str) -> dict[str, str]:
        """Return the same for this project's settings."""
        return {
            "DB_HOST": str(self._contenders_host),
            "DB_PORT": str(self._server.port),
            "DB_USER": self._server.user,
            "DB_NAME": database,
        }

    def connection_settings(self, database: str) -> dict[str, str | int]:
        """Return the same for the projects of dbt and SQLMesh, which name the database by different keys."""
        server = self.libpq_variables(database)
        return {
            "type": "postgres",
            "host": server["PGHOST"],
            "port": int(server["PGPORT"]),
            "user": server["PGUSER"],
            "password": "",
        }

    @contextmanager
    def at_distance(self, round_trip: float) -> Iterator[None]:
        """Have contenders that are set up inside the block reach the server through a network.

        `round_trip` is in seconds.
        """
        with relay.running(self.host / f".s.PGSQL.{self._server.port}", round_trip) as folder:
            self._contenders_host = folder
            try:
                yield
            finally:
                self._contenders_host = self.host

    def connect(self, database: str) -> "psycopg.Connection[Any]":
        """Connect in autocommit mode."""
        return psycopg.connect(
            host=str(self.host), port=self._server.port, user=self._server.user, dbname=database, autocommit=True
        )

    def has_database(self, database: str) -> bool:
        with self.connect("postgres") as connection:
            found = connection.execute("SELECT FROM pg_database WHERE datname = %s", [database])
            return found.rowcount > 0

    def create_database(self, database: str) -> None:
        with self.connect("postgres") as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(database)))
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(database)))

    def cpu_of_ended_backends(self) -> float:
        """Return the CPU seconds of all backends that have ended. Needs Linux."""
        fields = Path(f"/proc/{self._server.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")  # cutime and cstime, see proc(5)

    def wal_position(self, database: str) -> int:
        """Return the number of bytes of WAL that the server has written."""
        with self.connect(database) as connection:
            row = connection.execute("SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint").fetchone()
        return int(row[0]) if row else 0

    def wait_for_idle(self) -> None:
        """Wait until every backend has ended, and the postmaster has counted its CPU. Needs Linux."""
        children = Path(f"/proc/{self._server.pid}/task/{self._server.pid}/children")
        deadline = time.monotonic() + _MAX_IDLE_WAIT
        while time.monotonic() < deadline:
            titles = [_process_title(pid) for pid in children.read_text().split()]
            # A process without a title has ended, but is not counted yet.
            if not any(not title or _BACKEND.search(title) for title in titles):
                return
            time.sleep(0.02)

    def vacuum_and_checkpoint(self, database: str) -> None:
        """Clean up after a turn: dead rows, especially in the catalog, and dirty pages."""
        with self.connect(database) as connection:
            for schema in ("pg_catalog", "reporting"):
                tables = connection.execute(
                    "SELECT format('%%I.%%I', schemaname, relname) FROM pg_stat_all_tables"
                    " WHERE schemaname = %s AND n_tup_upd + n_tup_del + n_tup_ins > 0"
                    " AND relid IN (SELECT oid FROM pg_class WHERE relkind = 'r' AND NOT relisshared)",
                    [schema],
                ).fetchall()
                if tables:
                    connection.execute(f"VACUUM (ANALYZE) {', '.join(table for (table,) in tables)}".encode())
            connection.execute("CHECKPOINT")

    def forget_run(self, database: str, run_id: str) -> None:
        """Delete the history of a run."""
        with self.connect(database) as connection:
            connection.execute("DELETE FROM reporting.seeder_run_history WHERE run_id = %s", [run_id])

    @staticmethod
    def stop() -> None:
        with suppress(FileNotFoundError):
            server.stop(FOLDER)
