"""Claims and ends of queued loads in `load_request`."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from data_pipeline.postgres.statements import STATEMENTS
from seeder.postgres import advisory_locks, sessions

LOCK_PREFIX = "data_pipeline.request "


@dataclass(frozen=True, kw_only=True, slots=True)
class ClaimedRequest:
    """A queued load that this session has claimed."""

    id: int
    source_uri: str
    options: Mapping[str, Any]  # of `load_file`
    attempts: int  # with this one
    created_at: datetime


def claim(database: str, request_id: int, *, worker: str) -> ClaimedRequest | str:
    """Claim a request, or return the reason why it cannot be claimed. Call `unlock` afterwards, even after an error."""
    parameters = {"request_id": request_id, "lock_key": _lock_key(request_id), "worker": worker}
    [(is_acquired, found, source_uri, options, attempts, created_at)] = sessions.query(
        database, STATEMENTS["claim_request"], parameters
    )
    if not is_acquired:
        return "another worker loads it"
    if found is None:
        return "it has ended, or does not exist"
    return ClaimedRequest(
        id=found,
        source_uri=source_uri,
        options=json.loads(options),
        attempts=attempts,
        created_at=created_at,
    )


def end(database: str, claimed: ClaimedRequest, *, load_id: int | None, error: str | None) -> bool:
    """End a request. Return False if another worker has claimed it since."""
    facts = {"request_id": claimed.id, "attempts": claimed.attempts, "load_id": load_id, "error": error}
    return bool(sessions.query(database, STATEMENTS["end_request"], facts))


def release(database: str, claimed: ClaimedRequest, *, error: str | None, counts: bool) -> bool:
    """Queue a request again. Return False if another worker has claimed it since.

    `counts` tells whether the attempt counts as a failed one.
    """
    facts = {"request_id": claimed.id, "attempts": claimed.attempts, "error": error, "counts": counts}
    return bool(sessions.query(database, STATEMENTS["release_request"], facts))


def unlock(database: str, request_id: int) -> None:
    """Release the lock of this session on a request, if it has it."""
    advisory_locks.unlock(database, _lock_key(request_id))


def queue_stalled(database: str, *, missing_after: timedelta, old_after: timedelta) -> list[int]:
    """Queue requests of dead workers again. Return their ids, and those whose message is missing or old."""
    facts = {"missing_after": missing_after, "old_after": old_after, "prefix": LOCK_PREFIX}
    return sorted(number for (number,) in sessions.query(database, STATEMENTS["stalled_requests"], facts))


def _lock_key(request_id: int) -> str:
    return f"{LOCK_PREFIX}{request_id}"
