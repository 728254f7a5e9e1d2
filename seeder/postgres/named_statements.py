"""The named statements of the .sql files of a package."""

import re
from collections.abc import Mapping
from importlib.resources import files
from typing import Final

_STATEMENT = re.compile(r"^-- name: (\w+)\n(.*?)(?=^-- name: |\Z)", re.MULTILINE | re.DOTALL)


def load_statements(package: str) -> Mapping[str, str]:
    """Return the statements of all .sql files of a package, by name.

    Each begins with a line `-- name: <name>`. Parameters are psycopg's: `%(name)s`, so that a percent sign is `%%`.
    """
    paths = [path for path in files(package).iterdir() if path.name.endswith(".sql")]
    return {name: body.strip() for path in paths for name, body in _STATEMENT.findall(path.read_text("utf-8"))}


STATEMENTS: Final = dict(load_statements("seeder.postgres"))
