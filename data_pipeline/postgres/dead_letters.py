"""Statements on dead letters, and on loads and requests that have not ended."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from data_pipeline.domain.dead_letters import MAX_ATTEMPTS, wait_after
from data_pipeline.domain.load_requests import RequestAction
from data_pipeline.domain.storable_text import escape_unstorable
from data_pipeline.postgres.json_values import jsonb
from data_pipeline.postgres.load_log import MAX_MESSAGE_LENGTH, error_code
from data_pipeline.postgres.statements import STATEMENTS
from seeder.postgres import sessions


class UnsettledObject(NamedTuple):
    """A version of an object whose load has not succeeded."""

    idempotency_key: str
    uri: str
    etag: str  # without quotes
    size: int  # bytes
    modified_at: datetime


_WAITS = [wait_after(attempts) for attempts in range(1, MAX_ATTEMPTS)]  # beyond the array's end is NULL


def keep(  # noqa: PLR0913  # the columns of the row
    database: str,
    error: BaseException,
    *,
    source: str,
    idempotency_key: str,
    uri: str,
    options: Mapping[str, Any],
    load_id: int | None,
) -> None:
    """Keep an artefact that could not be processed, or count another attempt of it."""
    parameters = {
        "source": source,
        "idempotency_key": idempotency_key,
        "uri": escape_unstorable(uri),
        "options": jsonb(options),
        "error_code": error_code(error),
        "error_message": escape_unstorable(str(error) or type(error).__name__)[:MAX_MESSAGE_LENGTH],
        "load_id": load_id,
        "waits": _WAITS,
    }
    sessions.query(database, STATEMENTS["keep_letter"], parameters)


def resolve(database: str, *, source: str, uri: str) -> None:
    """Mark the letters of all versions of an artefact as resolved."""
    sessions.query(database, STATEMENTS["resolve_letters"], {"source": source, "uri": escape_unstorable(uri)})


def dismiss(database: str, letter_ids: Sequence[int]) -> Sequence[int]:
    """Dismiss open letters. Return their ids."""
    return [one for (one,) in sessions.query(database, STATEMENTS["dismiss_letters"], {"ids": list(letter_ids)})]


def waiting_keys(database: str, source: str) -> Collection[str]:
    """Return the keys of versions that are not tried now."""
    return _first_column(database, "waiting_letters", source=source)


def unsettled_objects(database: str, source: str) -> Sequence[UnsettledObject]:
    """Return the versions of objects whose loads have not succeeded."""
    rows = sessions.query(database, STATEMENTS["unsettled_objects"], {"source": source})
    return [UnsettledObject(*row) for row in rows]


def unfinished_addresses(database: str, action: RequestAction) -> Collection[str]:
    """Return the addresses for which a request of this action waits or runs."""
    return _first_column(database, "unfinished_addresses", action=action.value)


def _first_column(database: str, name: str, **parameters: str) -> Collection[str]:
    return frozenset(value for (value,) in sessions.query(database, STATEMENTS[name], parameters))
