"""The files that tell the server how to run and whom to let in, generated at every start."""

import os
from collections.abc import Mapping
from pathlib import Path

from embedded import binaries
from embedded.place import PORT, Place

STATEMENTS = "pg_stat_statements"


def write(place: Place, socket_folder: Path, settings: Mapping[str, str]) -> None:
    """Our settings around the cluster's own file, which stays as initdb wrote it.

    Root may connect besides the account of the server, as any role; nobody else gets as far as the socket, which alone
    has to do before PostgreSQL 16, whose maps have no word for any role.
    """
    mine = {
        "listen_addresses": "",
        "port": str(PORT),
        "unix_socket_directories": str(socket_folder),
        "hba_file": str(place.folder / "hba.conf"),
        "ident_file": str(place.folder / "ident.conf"),
    }
    preloaded = {"shared_preload_libraries": STATEMENTS} if binaries.has_library(STATEMENTS) else {}
    every = {**preloaded, "log_line_prefix": "%m [%p] ", **settings, **mine}
    lines = [f"include {_quoted(str(place.data / 'postgresql.conf'))}"]
    lines += [f"{name} = {_quoted(str(value))}" for name, value in every.items()]
    names = {"root", place.account.name}
    _write(place, "server.conf", lines)
    method = "peer map=embedded" if binaries.major() >= 16 else "trust"
    _write(place, "hba.conf", [f"local all all {method}", f"local replication all {method}"])
    _write(place, "ident.conf", [f'embedded "{name}" all' for name in sorted(names)])


def _write(place: Place, name: str, lines: list[str]) -> None:
    new = place.folder / f"{name}.new"
    new.unlink(missing_ok=True)
    new.write_text("\n".join(["# Written anew at every start.", *lines, ""]))
    if os.geteuid() == 0:
        os.chown(new, place.account.uid, place.account.gid)
    new.replace(place.folder / name)


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}'"
