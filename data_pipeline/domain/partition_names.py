"""Names of partitions and of the tables that a partitioned table replaces."""

from collections.abc import Mapping
from typing import Final

from seeder.domain.view_names import ViewName

# The lengths of a period, and PostgreSQL's format for the name of its partition.
NAME_FORMATS: Final[Mapping[str, str]] = {"day": "YYYYMMDD", "month": "YYYYMM", "year": "YYYY"}
_MAX_BYTES = 63  # of an identifier


def suffixed(table: ViewName, suffix: str) -> ViewName:
    """Return a name in the table's schema, with a suffix.

    The table's name is cut so that PostgreSQL keeps the suffix.
    """
    room = _MAX_BYTES - len(suffix.encode())
    return ViewName(schema=table.schema, name=table.name.encode()[:room].decode(errors="ignore") + suffix)
