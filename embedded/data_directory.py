"""Creates a cluster and starts its server, for start_and_stop.py."""

import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from embedded import binaries, server_config
from embedded.account_programs import run_program
from embedded.errors import ClusterNotCreated, ServerNotStarted, WrongVersion
from embedded.file_locks import MAX_WAIT_SECONDS, poll_until
from embedded.postmaster import find_ready_postmaster, has_processes, remove_stale_lock_files
from embedded.server_folder import ServerFolder, prepare_socket_folder

_INITDB = "--username=postgres --encoding=UTF8 --locale=C"
# Both have upper case for letters of every script; before PostgreSQL 17 only the system's library does.
_BUILTIN_LOCALE, _SYSTEM_LOCALE = "--locale-provider=builtin --builtin-locale=C.UTF-8", "--lc-ctype=C.UTF-8"
_AUTH_OPTIONS = "--auth-local=peer --auth-host=reject --no-instructions"
_MAX_LOG_BYTES = 10_000_000  # bytes; one older log is kept


def create_cluster(server_folder: ServerFolder, lock: int) -> None:
    """Run initdb in a folder that gets its final name when it is complete."""
    incomplete = server_folder.path / "data.making"
    shutil.rmtree(incomplete, ignore_errors=True)
    locale = _BUILTIN_LOCALE if binaries.major() >= 17 else _SYSTEM_LOCALE
    options = f"{_INITDB} {locale} {_AUTH_OPTIONS}".split()
    program = [str(binaries.folder() / "initdb"), *options, f"--pgdata={incomplete}"]
    before = _size(server_folder.log)
    if run_program(server_folder, program, lock) != 0:
        raise ClusterNotCreated(folder=server_folder, reason=_failure_reason_in(server_folder.log, before))
    incomplete.rename(server_folder.data)


def start_server(server_folder: ServerFolder, lock: int, settings: Mapping[str, str]) -> int:
    """Start the server and return the offset in its log.

    The server holds the lock as long as one of its processes is alive.
    """
    made_by = (server_folder.data / "PG_VERSION").read_text().strip()
    if made_by != str(binaries.major()):
        raise WrongVersion(folder=server_folder.data, found=made_by, wanted=binaries.major())
    socket_folder = prepare_socket_folder(server_folder)
    remove_stale_lock_files(server_folder, socket_folder)
    server_config.write_config_files(server_folder, socket_folder, settings)
    if _size(server_folder.log) > _MAX_LOG_BYTES:
        server_folder.log.replace(server_folder.log.with_suffix(".log.old"))
    log_begins = _size(server_folder.log)
    postgres, config = binaries.folder() / "postgres", server_folder.path / "server.conf"
    run_program(
        server_folder, [str(postgres), "-D", str(server_folder.data), "-c", f"config_file={config}"], lock, detach=True
    )
    return log_begins


def wait_until_ready(server_folder: ServerFolder, log_begins: int) -> None:
    """Wait until the server accepts connections. If no process of it is alive, it has ended."""

    def is_ready() -> bool | None:
        if find_ready_postmaster(server_folder):
            return True
        return None if has_processes(server_folder) else False

    if not poll_until(is_ready, MAX_WAIT_SECONDS):
        raise ServerNotStarted(
            folder=server_folder, reason=_failure_reason_in(server_folder.log, log_begins), log=server_folder.log
        )


def _failure_reason_in(log: Path, offset: int) -> str:
    """Return the log line since `offset` that gives the reason.

    That is the first complaint about the configuration, which is only a LOG; otherwise the last line above LOG.
    """
    with suppress(FileNotFoundError), log.open(errors="replace") as file:
        file.seek(offset)
        lines = [line.strip() for line in file if line.strip()]
        config_errors = [line for line in lines[:1] if " LOG: " in line and "starting PostgreSQL" not in line]
        reasons = [line for line in lines if any(word in line for word in ("FATAL:", "PANIC:", "ERROR:", "error:"))]
        for line in (*config_errors, *reversed(reasons), *reversed(lines)):
            return line.partition("] ")[2] or line
    return "it said nothing"


def _size(log: Path) -> int:
    return log.stat().st_size if log.exists() else 0
