"""Sets up a new database: pg_stat_statements, and the SQL files that the settings name."""

import json
import os
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from embedded import binaries
from embedded.errors import BootstrapFailed
from embedded.server_config import STATEMENTS
from embedded.server_folder import PORT, ServerFolder

_EXTENSION = f"CREATE EXTENSION IF NOT EXISTS {STATEMENTS}"


def is_done(server_folder: ServerFolder, files: Sequence[Path]) -> bool:
    """Return whether exactly these files, in their present form, have run in this data folder."""
    marker = _marker(server_folder)
    return marker.exists() and marker.read_text() == _files_summary(files)


def run_bootstrap(server_folder: ServerFolder, socket_folder: Path, files: Sequence[Path]) -> None:
    """Run each file in one transaction of the database `postgres`.

    The files are idempotent: all run again after one was changed, or if the process was killed before it wrote the
    marker.
    """
    import psycopg  # slower than the rest of a warm start, and rarely needed

    extensions = [("CREATE EXTENSION", _EXTENSION)] if binaries.has_library(STATEMENTS) else []
    steps = [*extensions, *((str(file), _read_sql(file)) for file in files)]
    step = "The first connection"
    try:
        with psycopg.connect(host=str(socket_folder), port=PORT, user="postgres", dbname="postgres") as database:
            database.autocommit = True
            while steps:
                step, statements = steps.pop(0)
                database.execute(statements.encode())
    except psycopg.Error as error:
        reason = error.diag.message_primary or str(error)
        raise BootstrapFailed(file=step, folder=server_folder, reason=reason) from error
    new = _marker(server_folder).with_suffix(".new")
    new.unlink(missing_ok=True)
    new.write_text(_files_summary(files))
    if os.geteuid() == 0:
        os.chown(new, server_folder.account.uid, server_folder.account.gid)
    new.replace(_marker(server_folder))


def _marker(server_folder: ServerFolder) -> Path:
    """Return the file that records the bootstrap, in the data folder so that it is deleted with the data."""
    return server_folder.data / "embedded.json"


def _files_summary(files: Sequence[Path]) -> str:
    return json.dumps({str(file): sha256(_read_sql(file).encode()).hexdigest() for file in files}, indent=1)


def _read_sql(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise BootstrapFailed(file=file, folder=file.parent, reason=error.strerror or error) from error
