"""What a new database needs before its first user: pg_stat_statements, and the SQL files the settings name."""

import json
import os
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from embedded import binaries
from embedded.configuration import STATEMENTS
from embedded.errors import BootstrapFailed
from embedded.place import PORT, Place

_EXTENSION = f"CREATE EXTENSION IF NOT EXISTS {STATEMENTS}"


def is_done(place: Place, files: Sequence[Path]) -> bool:
    """Whether exactly these files, as they are now, have run in this data folder."""
    marker = _marker(place)
    return marker.exists() and marker.read_text() == _summary(files)


def run(place: Place, socket_folder: Path, files: Sequence[Path]) -> None:
    """Each file in one transaction of the database `postgres`. They are idempotent, so that all of them can run again
    after one was changed or somebody was killed before the marker was written."""
    import psycopg  # takes longer than all the rest of a warm start, and is rarely needed

    extensions = [("CREATE EXTENSION", _EXTENSION)] if binaries.has_library(STATEMENTS) else []
    steps = [*extensions, *((str(file), _text(file)) for file in files)]
    step = "The first connection"
    try:
        with psycopg.connect(host=str(socket_folder), port=PORT, user="postgres", dbname="postgres") as database:
            database.autocommit = True
            while steps:
                step, statements = steps.pop(0)
                database.execute(statements.encode())
    except psycopg.Error as error:
        reason = error.diag.message_primary or str(error)
        raise BootstrapFailed(file=step, folder=place, reason=reason) from error
    new = _marker(place).with_suffix(".new")
    new.unlink(missing_ok=True)
    new.write_text(_summary(files))
    if os.geteuid() == 0:
        os.chown(new, place.account.uid, place.account.gid)
    new.replace(_marker(place))


def _marker(place: Place) -> Path:
    """Inside the data folder, so that it goes when the data goes."""
    return place.data / "embedded.json"


def _summary(files: Sequence[Path]) -> str:
    return json.dumps({str(file): sha256(_text(file).encode()).hexdigest() for file in files}, indent=1)


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise BootstrapFailed(file=file, folder=file.parent, reason=error.strerror or error) from error
