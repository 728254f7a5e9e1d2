"""Describes why a view failed: PostgreSQL's message, the blocking sessions, and advice."""

from contextlib import suppress

from django.db import Error

from seeder.domain.failure_advice import advice_for
from seeder.domain.manifests import ViewKey
from seeder.domain.outcomes import Failure
from seeder.postgres import catalog, server_activity, sessions
from seeder.postgres.sqlstates import LOCK_NOT_AVAILABLE, condition_name, is_server_fault, sqlstate


def describe_failure(error: Error, view: ViewKey, *, refreshes_plainly: bool) -> Failure:
    """Return PostgreSQL's full message (error, line, detail and hint), with the facts that the server still has."""
    state, lines = sqlstate(error), [str(error).strip()]
    with suppress(Error):  # the server may be down; its message was enough then
        sessions.discard_if_broken(view.database)
        if state == LOCK_NOT_AVAILABLE:
            holders = server_activity.blocking_sessions(view.database, view.name, plain=refreshes_plainly)
            lines += [f"Blocked by {holder}." for holder in holders]
        if state is not None:
            exists = catalog.relation_state(view.database, view.name) is not None
            lines.append(advice_for(state, view.name, relation_exists=exists) or "")
    message = "\n".join(filter(None, lines))
    return Failure(
        reason=condition_name(state), message=message, sqlstate=state, is_server_fault=is_server_fault(state)
    )
