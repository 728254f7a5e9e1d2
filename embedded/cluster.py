"""Makes a cluster and starts its server; when that is allowed is decided in upkeep.py."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from embedded import binaries, configuration, launch
from embedded.errors import NotCreated, NotStarted, WrongVersion
from embedded.locks import PATIENCE, is_taken, wait_for
from embedded.place import PORT, Place, prepare_socket_folder
from embedded.signals import answering

_INITDB = "--username=postgres --encoding=UTF8 --locale=C"
# Letters of every script have an upper case in both; before PostgreSQL 17 only the system's library knows of them.
_BUILTIN_LOCALE, _SYSTEM_LOCALE = "--locale-provider=builtin --builtin-locale=C.UTF-8", "--lc-ctype=C.UTF-8"
_QUIETLY = "--auth-local=peer --auth-host=reject --no-instructions"
_KEPT_ENVIRONMENT = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
_LARGEST_LOG = 10_000_000  # bytes; an older log is kept once


def create(place: Place, lock: int) -> None:
    """initdb, into a folder that gets its name only when it is complete."""
    making = place.folder / "data.making"
    shutil.rmtree(making, ignore_errors=True)
    locale = _BUILTIN_LOCALE if binaries.major() >= 17 else _SYSTEM_LOCALE
    options = f"{_INITDB} {locale} {_QUIETLY}".split()
    program = [str(binaries.folder() / "initdb"), *options, f"--pgdata={making}"]
    before = _size(place.log)
    if _run(place, program, lock) != 0:
        raise NotCreated(folder=place, reason=_last_words(place.log, before))
    making.rename(place.data)


def start(place: Place, lock: int, settings: Mapping[str, str]) -> int:
    """Starts the server, which keeps the lock as long as one of its processes lives; where the log begins."""
    made_by = (place.data / "PG_VERSION").read_text().strip()
    if made_by != str(binaries.major()):
        raise WrongVersion(folder=place.data, found=made_by, wanted=binaries.major())
    socket_folder = prepare_socket_folder(place)
    _forget_the_dead(place, socket_folder)
    configuration.write(place, socket_folder, settings)
    if _size(place.log) > _LARGEST_LOG:
        place.log.replace(place.log.with_suffix(".log.old"))
    log_begins = _size(place.log)
    postgres, config = binaries.folder() / "postgres", place.folder / "server.conf"
    _run(place, [str(postgres), "-D", str(place.data), "-c", f"config_file={config}"], lock, detach=True)
    return log_begins


def wait_until_it_answers(place: Place, log_begins: int) -> None:
    """To be called when nobody but the server holds its lock, so that a free lock means it has ended."""

    def answers() -> bool | None:
        if answering(place):
            return True
        return None if is_taken(place.server_lock) else False

    if not wait_for(answers, PATIENCE):
        raise NotStarted(folder=place, reason=_last_words(place.log, log_begins), log=place.log)


def _run(place: Place, program: list[str], lock: int, *, detach: bool = False) -> int:
    """Runs a program of PostgreSQL's as the account of the place; it inherits the lock and writes to the log."""
    options = ["--detach"] if detach else []
    if os.geteuid() == 0:
        account = place.account
        options += ["--user", f"{account.uid}:{account.gid}:{account.name}"]
        options += ["--reach", program[0], "--reach", str(place.folder)]
    log = os.open(place.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        if os.geteuid() == 0:
            os.fchown(log, place.account.uid, place.account.gid)
        return subprocess.run(  # noqa: S603  # the wheel's programs
            [sys.executable, "-I", "-S", launch.__file__, *options, "--", *program],
            pass_fds=[lock],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
            env={**_KEPT_ENVIRONMENT, "LC_ALL": "C"},
            check=False,
        ).returncode
    finally:
        os.close(log)


def _forget_the_dead(place: Place, socket_folder: Path) -> None:
    """The free lock has proven that no server runs, but PostgreSQL would believe a recycled process number."""
    (place.data / "postmaster.pid").unlink(missing_ok=True)
    for name in (f".s.PGSQL.{PORT}", f".s.PGSQL.{PORT}.lock"):
        (socket_folder / name).unlink(missing_ok=True)


def _last_words(log: Path, offset: int) -> str:
    """The line since `offset` that gives the reason: a complaint about the configuration is the first one, and only a
    LOG; anything else is the last that is more than that."""
    with suppress(FileNotFoundError), log.open(errors="replace") as file:
        file.seek(offset)
        lines = [line.strip() for line in file if line.strip()]
        complaints = [line for line in lines[:1] if " LOG: " in line and "starting PostgreSQL" not in line]
        reasons = [line for line in lines if any(word in line for word in ("FATAL:", "PANIC:", "ERROR:", "error:"))]
        for line in (*complaints, *reversed(reasons), *reversed(lines)):
            return line.partition("] ")[2] or line
    return "it said nothing"


def _size(log: Path) -> int:
    return log.stat().st_size if log.exists() else 0
