"""What became of the refreshes that loads have requested."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from hashlib import blake2b

from seeder.domain.human_format import format_count


class RefreshOutcome(StrEnum):
    """What became of a requested refresh."""

    QUEUED = "queued"
    REFRESHED = "refreshed"  # in this process, because there is no queue
    UNNEEDED = "unneeded"  # no view of an enabled manifest depends on the tables
    UNDISPATCHED = "undispatched"  # the next load, or the next rescue of the queue, tries again
    DISABLED = "disabled"  # REFRESH_AFTER_LOAD is false
    SEEDER_MISSING = "seeder_missing"


@dataclass(frozen=True, kw_only=True, slots=True)
class RequestedRefresh:
    """A row of `load_refresh` that is not dispatched."""

    id: int
    load_id: int
    relations: Sequence[tuple[str, str]]  # schema and name of the changed tables
    created_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class RefreshDispatch:
    """What became of the refreshes that some loads requested together."""

    outcome: RefreshOutcome
    load_ids: Sequence[int] = ()
    request_id: str | None = None  # of the queue
    views: Sequence[str] = ()  # the dependent views
    undetermined: Sequence[str] = ()  # they call functions with text bodies, so they are not refreshed
    failures: Mapping[str, str] = field(default_factory=dict)  # messages of views that failed in this process
    problem: str | None = None  # why it is not dispatched


def group_by_tables(rows: Iterable[RequestedRefresh]) -> Sequence[Sequence[RequestedRefresh]]:
    """Group rows with the same changed tables.

    So a burst of loads shares one request.
    """
    groups: dict[frozenset[tuple[str, str]], list[RequestedRefresh]] = {}
    for row in rows:
        groups.setdefault(frozenset(row.relations), []).append(row)
    return list(groups.values())


def requested_by(load_ids: Sequence[int]) -> str:
    """Return the requester that runs and the queue show.

    An example is `load 4711`.
    """
    others = f" and {format_count(len(load_ids) - 1, 'other load')}" if len(load_ids) > 1 else ""
    return f"load {load_ids[0]}{others}"


def dispatch_key(database: str, rows: Sequence[RequestedRefresh]) -> str:
    """Return the idempotency key of a request for exactly these rows.

    Another group of rows has another key: the first answer to a smaller group may be older than the added loads. A load
    that was undone and loaded again has a new time.
    """
    facts = [f"{row.id} {row.created_at.isoformat()}" for row in rows]
    digest = blake2b("\n".join([database, *facts]).encode(), digest_size=8).hexdigest()
    return f"load:{rows[0].load_id}:{digest}"
