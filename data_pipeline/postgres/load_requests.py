"""Claims and ends of queued loads in `load_request`."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from psycopg.rows import namedtuple_row

from data_pipeline.domain.load_requests import RequestAction
from data_pipeline.postgres.statements import STATEMENTS
from seeder.postgres import advisory_locks, sessions

LOCK_PREFIX = "data_pipeline.request "


@dataclass(frozen=True, kw_only=True, slots=True)
class ClaimedRequest:
    """A request that this session has claimed."""

    id: int
    action: RequestAction
    source_uri: str
    options: Mapping[str, Any]  # of `load_file`
    load_id: int | None  # that the action concerns
    requested_by: str
    attempts: int  # with this one
    created_at: datetime

    @property
    def forced_at(self) -> datetime:
        """The time of a forced load. Another attempt with the same time is the same load."""
        given = self.options.get("forced_at")
        return datetime.fromisoformat(given) if given else self.created_at


def claim(database: str, request_id: int, *, worker: str) -> ClaimedRequest | str:
    """Claim a request, or return the reason why it cannot be claimed. Call `unlock` afterwards, even after an error."""
    parameters = {"request_id": request_id, "lock_key": _lock_key(request_id), "worker": worker}
    [row] = sessions.query(database, STATEMENTS["claim_request"], parameters, row_factory=namedtuple_row)
    if not row.is_acquired:
        return "another worker loads it"
    if row.id is None:
        return "it has ended, or does not exist"
    return ClaimedRequest(
        id=row.id,
        action=RequestAction(row.action),
        source_uri=row.source_uri,
        options=json.loads(row.options),
        load_id=row.load_id,
        requested_by=row.requested_by,
        attempts=row.attempts,
        created_at=row.created_at,
    )


def end(
    database: str, claimed: ClaimedRequest, *, load_id: int | None, error: str | None, error_code: str | None = None
) -> bool:
    """End a request. Return False if another worker has claimed it since."""
    facts: dict[str, Any] = {"request_id": claimed.id, "attempts": claimed.attempts, "load_id": load_id}
    return bool(
        sessions.query(database, STATEMENTS["end_request"], {**facts, "error": error, "error_code": error_code})
    )


def release(database: str, claimed: ClaimedRequest, *, error: str | None, counts: bool) -> bool:
    """Queue a request again. Return False if another worker has claimed it since.

    `counts` tells whether the attempt counts as a failed one.
    """
    facts = {"request_id": claimed.id, "attempts": claimed.attempts, "error": error, "counts": counts}
    return bool(sessions.query(database, STATEMENTS["release_request"], facts))


def unlock(database: str, request_id: int) -> None:
    """Release this session's lock on a request, if it has it."""
    advisory_locks.unlock(database, _lock_key(request_id))


def queue_stalled(database: str, *, missing_after: timedelta, old_after: timedelta) -> list[int]:
    """Queue requests of dead workers again. Return their ids, and those whose message is missing or old."""
    facts = {"missing_after": missing_after, "old_after": old_after, "prefix": LOCK_PREFIX}
    return sorted(number for (number,) in sessions.query(database, STATEMENTS["stalled_requests"], facts))


def with_live_workers(database: str, request_ids: Iterable[int]) -> frozenset[int]:
    """Return those of the running requests whose worker is alive."""
    by_key = {_lock_key(one): one for one in request_ids}
    return frozenset(by_key[key] for key in advisory_locks.held_keys(database, by_key))


def _lock_key(request_id: int) -> str:
    return f"{LOCK_PREFIX}{request_id}"
