"""Why a view failed, and what to do about it: PostgreSQL's words, who was in the way, and advice."""

from contextlib import suppress
from dataclasses import replace

from django.db import Error

from seeder.domain.failure_advice import advice_for
from seeder.domain.manifests import ViewKey
from seeder.domain.outcomes import Failure
from seeder.postgres import advisory_locks, catalog, sessions, sqlstates


def describe_failure(error: Error, view: ViewKey, *, refreshes_plainly: bool) -> Failure:
    """The error as a failure, with whatever can be found out about it right now."""
    found = sqlstates.to_failure(error)
    extra_lines: list[str] = []
    with suppress(Error):  # the server may be gone; its own words are the ones that matter
        sessions.discard_if_broken(view.database)
        if found.sqlstate == sqlstates.LOCK_NOT_AVAILABLE:
            extra_lines += [
                f"In the way: {holder}."
                for holder in advisory_locks.blocking_sessions(view.database, view.name, plain=refreshes_plainly)
            ]
        if found.sqlstate is not None:
            exists = catalog.relation_exists(view.database, view.name)
            extra_lines += [advice_for(found.sqlstate, view.name, relation_exists=exists) or ""]
    return replace(found, message="\n".join(filter(None, (found.message, *extra_lines))))
