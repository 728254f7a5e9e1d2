"""The server's configuration files, generated at every start."""

import os
from collections.abc import Mapping
from pathlib import Path

from embedded import binaries
from embedded.server_folder import PORT, ServerFolder

STATEMENTS = "pg_stat_statements"


def write_config_files(server_folder: ServerFolder, socket_folder: Path, settings: Mapping[str, str]) -> None:
    """Write the settings beside the cluster's own file, which stays as initdb wrote it.

    Root may connect as any role, like the account of the server. No other user can reach the socket, which is the only
    protection before PostgreSQL 16, whose maps have no word for any role.
    """
    fixed_settings = {
        "listen_addresses": "",
        "port": str(PORT),
        "unix_socket_directories": str(socket_folder),
        "hba_file": str(server_folder.path / "hba.conf"),
        "ident_file": str(server_folder.path / "ident.conf"),
    }
    preloaded = {"shared_preload_libraries": STATEMENTS} if binaries.has_library(STATEMENTS) else {}
    all_settings = {
        **preloaded,
        "log_line_prefix": "%m [%p] ",
        **settings,
        **fixed_settings,
    }
    lines = [f"include {_quoted(str(server_folder.data / 'postgresql.conf'))}"]
    lines += [f"{name} = {_quoted(str(value))}" for name, value in all_settings.items()]
    names = {"root", server_folder.account.name}
    _write_file(server_folder, "server.conf", lines)
    method = "peer map=embedded" if binaries.major() >= 16 else "trust"
    _write_file(server_folder, "hba.conf", [f"local all all {method}", f"local replication all {method}"])
    _write_file(server_folder, "ident.conf", [f'embedded "{name}" all' for name in sorted(names)])


def _write_file(server_folder: ServerFolder, name: str, lines: list[str]) -> None:
    new = server_folder.path / f"{name}.new"
    new.unlink(missing_ok=True)
    new.write_text("\n".join(["# Written anew at every start.", *lines, ""]))
    if os.geteuid() == 0:
        os.chown(new, server_folder.account.uid, server_folder.account.gid)
    new.replace(server_folder.path / name)


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}'"
