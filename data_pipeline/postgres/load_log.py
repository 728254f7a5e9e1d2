"""Claims and outcomes of loads in `load_log`."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from django.db import Error

from data_pipeline.domain.load_counts import LoadCounts
from data_pipeline.domain.load_status import LoadStatus
from data_pipeline.domain.storable_text import escape_unstorable
from data_pipeline.postgres.json_values import jsonb
from data_pipeline.postgres.statements import STATEMENTS
from seeder.postgres import sessions
from seeder.postgres.advisory_locks import UNLOCK
from seeder.postgres.sqlstates import is_connection_lost, sqlstate

LOCK_PREFIX = "data_pipeline.load "
_CONNECTION_FAILURE = "08006"  # the SQLSTATE of a connection that ended without one
MAX_MESSAGE_LENGTH = 1024  # characters


class Claim(NamedTuple):
    """A claimed load. With the status skipped, its rows are in the table already."""

    load_id: int
    status: LoadStatus
    attempts: int
    is_behind_proxy: bool  # the proxy may share sessions, which ends the meaning of their locks


class StuckLoad(NamedTuple):
    """A pending load whose process or connection has ended."""

    load_id: int
    source: str
    attempts: int


def lock_key(source: str, idempotency_key: str) -> str:
    """Return the key of the advisory lock that a live load holds."""
    return f"{LOCK_PREFIX}{source} {idempotency_key}"


def claim(database: str, *, source: str, idempotency_key: str, payload_meta: object, **columns: Any) -> Claim | None:
    """Claim a load, in one round trip. Return None if another session is loading it."""
    parameters = {
        "source": source,
        "idempotency_key": idempotency_key,
        "payload_meta": jsonb(payload_meta),
        "lock_key": lock_key(source, idempotency_key),
        **columns,
    }
    statements = STATEMENTS["read_committed"], STATEMENTS["claim_load"]
    [_, rows] = sessions.query_batch(database, statements, parameters)
    if not rows:
        return None
    load_id, status, attempts, backend_pid, _ = rows[0]
    # A proxy reports another process at connect time than the one that answers.
    is_behind_proxy = backend_pid != sessions.driver_connection(database).info.backend_pid
    return Claim(load_id, LoadStatus(status), attempts, is_behind_proxy)


def complete(  # noqa: PLR0913  # the columns of the row
    database: str,
    claimed: Claim,
    *,
    key: str,
    counts: LoadCounts,
    payload_meta: object,
    relations: object,
    **columns: Any,
) -> bool:
    """Mark a load as successful in the current transaction.

    That takes one round trip. Return False if it was taken over.

    The row versions of the load have the ids of its transaction or of its savepoints. The event is written in the last
    savepoint, so its version has the last of these ids, with which an undo recognises changes by others.
    """
    parameters = {
        **counts.as_columns(),
        "load_id": claimed.load_id,
        "attempts": claimed.attempts,
        "lock_key": key,
        "payload_meta": jsonb(payload_meta),
        "relations": None if relations is None else jsonb(relations),
        **columns,
    }
    statements = "SAVEPOINT load_end;", STATEMENTS["complete_load"], "RELEASE SAVEPOINT load_end;"
    return bool(sessions.query_batch(database, statements, parameters)[1])


def fail(
    database: str,
    claimed: Claim,
    error: BaseException,
    *,
    counts: LoadCounts,
    payload_meta: object,
    **columns: Any,
) -> bool:
    """Mark a load as failed in the current transaction. Return False if it was taken over."""
    parameters = {
        **counts.as_columns(),
        "load_id": claimed.load_id,
        "attempts": claimed.attempts,
        "payload_meta": jsonb(payload_meta),
        "error_message": _message(error),
        "error_code": error_code(error),
        **columns,
    }
    return bool(sessions.query(database, STATEMENTS["fail_load"], parameters))


def release(database: str, key: str) -> None:
    """Release this session's lock of a load, and forget its id."""
    sessions.query_batch(database, (STATEMENTS["forget_load"], UNLOCK), {"key": key})


def is_committed(database: str, claimed: Claim) -> bool | None:
    """Return whether an attempt has committed.

    None means that another one has taken over.
    """
    rows = sessions.query(database, STATEMENTS["settled_load"], {"load_id": claimed.load_id})
    if not rows or rows[0][1] != claimed.attempts:
        return None
    return LoadStatus(rows[0][0]) in {LoadStatus.SUCCESS, LoadStatus.SKIPPED}


def worker_of(database: str, source: str, idempotency_key: str) -> tuple[LoadStatus | None, str | None]:
    """Return the status of a load, and the process that claimed it.

    Both are None if the row of the load is not visible yet.
    """
    rows = sessions.query(database, STATEMENTS["load_worker"], {"source": source, "idempotency_key": idempotency_key})
    return (LoadStatus(rows[0][0]), rows[0][1]) if rows else (None, None)


def is_usable(database: str) -> bool:
    """Return whether the database has the tables of loads. Those of a standby belong to its primary server."""
    [(is_usable,)] = sessions.query(database, STATEMENTS["has_loads"])
    return bool(is_usable)


def stuck_loads(database: str) -> list[StuckLoad]:
    """Return the pending loads whose process or connection has ended."""
    return [StuckLoad(*row) for row in sessions.query(database, STATEMENTS["stuck_loads"], {"prefix": LOCK_PREFIX})]


def interrupt(database: str, load: StuckLoad, *, actor: str) -> bool:
    """Mark a stuck load as failed. Return False if it ended or was taken over meanwhile."""
    parameters: Mapping[str, Any] = {
        "load_id": load.load_id,
        "attempts": load.attempts,
        "prefix": LOCK_PREFIX,
        "actor": actor,
    }
    statements = STATEMENTS["read_committed"], STATEMENTS["interrupt_load"]
    return bool(sessions.query_batch(database, statements, parameters)[-1])


def _message(error: BaseException) -> str:
    """Return the first 1,024 characters of a message that PostgreSQL can store."""
    text = str(error) or type(error).__name__
    if isinstance(error, KeyboardInterrupt):  # has the name of a signal
        text = f"interrupted: {text}"
    return escape_unstorable(text)[:MAX_MESSAGE_LENGTH]


def error_code(error: BaseException) -> str:
    """Return the machine-readable cause of an error: its SQLSTATE, or a word."""
    if isinstance(error, KeyboardInterrupt):
        return "interrupted"
    state = None
    if isinstance(error, Error):
        state = sqlstate(error) or (_CONNECTION_FAILURE if is_connection_lost(error) else None)
    return state or str(getattr(error, "code", type(error).__name__))
