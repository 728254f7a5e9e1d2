"""Facts about loads and the server for a fault report.

They contain no value of the data.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from data_pipeline.postgres import load_log
from data_pipeline.postgres.statements import STATEMENTS
from seeder.postgres import sessions

_LIMIT = 200  # rows
_COLUMNS: Mapping[str, Sequence[str]] = {
    "loads": (
        "id", "source", "status", "target", "sourceUri", "dialect", "mode", "attempts", "createdAt", "updatedAt",
        "succeededAt", "undoneAt", "durationMs", "xid", "rowsIn", "rowsInserted", "rowsUpdated", "rowsUnchanged",
        "rowsDeleted", "rowsRejected", "errorCode", "processedBy", "taskId",
    ),
    "events": ("id", "loadId", "event", "actor", "at"),
    "rejects": ("loadId", "state", "column", "sqlstate", "count"),
    "refreshes": ("loadId", "relations", "createdAt", "dispatchedAt", "requestId", "views"),
    "requests": ("id", "state", "loadId", "createdAt", "dispatchedAt", "finishedAt"),
    "server": ("version", "encoding", "timeZone", "maxConnections", "isStandby", "databaseSize", "time"),
    "migrations": ("name", "applied"),
}  # fmt: skip
TABLES = tuple(_COLUMNS)


def read(database: str, table: str) -> Sequence[Mapping[str, Any]]:
    """Return the latest rows of one kind, by name of the column."""
    rows = sessions.query(database, STATEMENTS[f"debug_{table}"], {"limit": _LIMIT})
    return [dict(zip(_COLUMNS[table], row, strict=True)) for row in rows]


def stuck_loads(database: str) -> Sequence[int]:
    """Return the ids of pending loads without a process."""
    return [load.load_id for load in load_log.stuck_loads(database)]
