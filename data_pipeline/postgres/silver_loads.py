"""Queries for objects of bronze whose transforms failed, wait or run."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple

from data_pipeline.domain.load_requests import RequestAction
from data_pipeline.domain.silver_objects import SOURCE
from data_pipeline.postgres.statements import STATEMENTS
from seeder.postgres import sessions


class UnsettledObject(NamedTuple):
    """A version of an object whose load has not succeeded."""

    idempotency_key: str
    uri: str
    etag: str  # without quotes
    size: int  # bytes
    modified_at: datetime


def waiting_objects(database: str) -> Sequence[tuple[str, str]]:
    """Return the addresses and etags of versions that are not tried now."""
    return [(uri, etag) for uri, etag in sessions.query(database, STATEMENTS["waiting_objects"], {"source": SOURCE})]


def unsettled_objects(database: str) -> Sequence[UnsettledObject]:
    """Return the versions of objects whose loads have not succeeded."""
    rows = sessions.query(database, STATEMENTS["unsettled_objects"], {"source": SOURCE})
    return [UnsettledObject(*row) for row in rows]


def unfinished_addresses(database: str, action: RequestAction) -> Collection[str]:
    """Return the addresses with an unfinished request of this action."""
    rows = sessions.query(database, STATEMENTS["unfinished_addresses"], {"action": action.value})
    return frozenset(uri for (uri,) in rows)
