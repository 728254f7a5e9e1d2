"""What a new database needs before its first user: pg_stat_statements, and the SQL files the settings name."""

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
    """Whether exactly these files, as they are now, have run in this data folder."""
    marker = _marker(server_folder)
    return marker.exists() and marker.read_text() == _files_summary(files)


def run_bootstrap(server_folder: ServerFolder, socket_folder: Path, files: Sequence[Path]) -> None:
    """Each file in one transaction of the database `postgres`. They are idempotent, so that all of them can run again
    after one was changed or somebody was killed before the marker was written."""
    import psycopg  # takes longer than all the rest of a warm start, and is rarely needed

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
    """Inside the data folder, so that it goes when the data goes."""
    return server_folder.data / "embedded.json"


def _files_summary(files: Sequence[Path]) -> str:
    return json.dumps({str(file): sha256(_read_sql(file).encode()).hexdigest() for file in files}, indent=1)


def _read_sql(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise BootstrapFailed(file=file, folder=file.parent, reason=error.strerror or error) from error
