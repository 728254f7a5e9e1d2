"""Describes why a view failed: PostgreSQL's message, the blocking sessions, and advice."""

from contextlib import suppress

from django.db import Error

from seeder.domain.failure_advice import OTHER_SERVER_ADVICE, advice_for
from seeder.domain.manifests import ViewKey
from seeder.domain.outcomes import Failure
from seeder.domain.refusal_advice import privilege_advice, undefined_name_advice
from seeder.postgres import server_activity, sessions
from seeder.postgres.refusal_facts import read_refusal_facts
from seeder.postgres.sqlstates import (
    CARDINALITY_VIOLATION,
    INSUFFICIENT_PRIVILEGE,
    LOCK_NOT_AVAILABLE,
    UNDEFINED_NAMES,
    UNIQUE_VIOLATION,
    condition_name,
    has_lost_session,
    is_server_fault,
    named_table,
    names_lost_connection,
    sqlstate,
)


def describe_failure(error: Error, view: ViewKey, *, refreshes_plainly: bool) -> Failure:
    """Return PostgreSQL's full message (error, line, detail and hint), with the facts that the server still has."""
    state, lines = sqlstate(error), [str(error).strip()]
    with suppress(Error):  # the server may be down; its message was enough then
        sessions.discard_if_broken(view.database)
        if state == LOCK_NOT_AVAILABLE:
            holders = server_activity.blocking_sessions(view.database, view.name, plain=refreshes_plainly)
            lines += [f"Blocked by {holder}." for holder in holders]
        if state is not None:
            lines.append(_advice(error, state, view, is_concurrent=not refreshes_plainly) or "")
    message = "\n".join(filter(None, lines))
    return Failure(
        reason=condition_name(state), message=message, sqlstate=state, is_server_fault=is_server_fault(error)
    )


def _advice(error: Error, state: str, view: ViewKey, *, is_concurrent: bool) -> str | None:
    """Return the next step. Facts of the catalog tell the causes of an SQLSTATE apart."""
    if state == INSUFFICIENT_PRIVILEGE or state in UNDEFINED_NAMES:
        facts = read_refusal_facts(view.database, view.name, error, is_concurrent=is_concurrent)
        return privilege_advice(facts) if state == INSUFFICIENT_PRIVILEGE else undefined_name_advice(facts)
    if names_lost_connection(state) and not has_lost_session(error):
        return OTHER_SERVER_ADVICE
    if state == UNIQUE_VIOLATION and named_table(error) not in {None, view.name}:
        return None  # a function or an event trigger wrote to another table
    if state == CARDINALITY_VIOLATION and not is_concurrent:
        return None  # only a concurrent refresh has it also for duplicate rows
    return advice_for(state)
