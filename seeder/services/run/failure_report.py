"""Describes why a view failed: PostgreSQL's message, the blocking sessions, and advice."""

from contextlib import suppress
from dataclasses import replace

from django.db import Error

from seeder.domain.failure_advice import advice_for
from seeder.domain.manifests import ViewKey
from seeder.domain.outcomes import Failure
from seeder.postgres import advisory_locks, catalog, sessions, sqlstates


def describe_failure(error: Error, view: ViewKey, *, refreshes_plainly: bool) -> Failure:
    """Return the failure, with the facts that the server still has."""
    failure = sqlstates.to_failure(error)
    lines = [failure.message]
    with suppress(Error):  # the server may be down; its message was enough then
        sessions.discard_if_broken(view.database)
        if failure.sqlstate == sqlstates.LOCK_NOT_AVAILABLE:
            holders = advisory_locks.blocking_sessions(view.database, view.name, plain=refreshes_plainly)
            lines += [f"Blocked by {holder}." for holder in holders]
        if failure.sqlstate is not None:
            exists = catalog.relation_exists(view.database, view.name)
            lines.append(advice_for(failure.sqlstate, view.name, relation_exists=exists) or "")
    return replace(failure, message="\n".join(filter(None, lines)))
