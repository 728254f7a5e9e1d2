"""Advice on refusals whose SQLSTATE has several causes, from facts of the catalog."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_FIRST_MAINTAIN_MAJOR = 17  # the first with the privilege MAINTAIN, and with a restricted search_path
_MAX_SHOWN = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class RefusalFacts:
    """Facts about a view and seeder's role after a refusal. Names are quoted for SQL."""

    major: int  # of the server's version
    role: str
    database: str
    schema: str
    view: str
    can_use_schema: bool
    can_create: bool  # in the schema
    is_row_security_off: bool
    owner: str | None  # None if the view does not exist
    owner_is_superuser: bool = False
    can_refresh: bool = False
    owner_can_create_temp: bool = False
    unreadable_sources: Sequence[tuple[str, str, str]] = ()  # reading role, source, privilege to grant
    forbidden_functions: Sequence[str] = ()  # that the owner may not execute
    calls_functions: bool = False  # with text bodies
    event_triggers: Sequence[str] = ()  # that the command fires
    is_concurrent: bool = False
    lacks_privilege: bool = False  # otherwise an operation is forbidden with any privilege
    is_in_function: bool = False  # the error is in the body of a function


def privilege_advice(facts: RefusalFacts) -> str | None:
    """Return what to grant or to change after 42501, or None if PostgreSQL's message is enough."""
    return " ".join(_missing_grants(facts)) or " ".join(_causes_in_code(facts)) or None


def _missing_grants(facts: RefusalFacts) -> Iterator[str]:
    if not facts.can_use_schema:
        yield f"The owner of schema {facts.schema} can GRANT USAGE ON SCHEMA {facts.schema} TO {facts.role}."
    if facts.owner is None:
        if not facts.can_create:
            yield f"The owner of schema {facts.schema} can GRANT CREATE ON SCHEMA {facts.schema} TO {facts.role}."
        return
    if not facts.can_refresh:
        yield _refresh_grant(facts, facts.owner)
    for reader, source, privilege in facts.unreadable_sources[:_MAX_SHOWN]:
        yield f"The view reads {source} as {reader}: its owner can GRANT {privilege} ON {source} TO {reader}."
    for function in facts.forbidden_functions[:_MAX_SHOWN]:
        yield f"Its owner can GRANT EXECUTE ON FUNCTION {function} TO {facts.owner}."
    if facts.is_concurrent and not facts.owner_can_create_temp:
        yield (
            "A concurrent refresh needs temporary tables: the owner of the database can GRANT TEMPORARY ON DATABASE"
            f" {facts.database} TO {facts.owner}."
        )


def _refresh_grant(facts: RefusalFacts, owner: str) -> str:
    if facts.major >= _FIRST_MAINTAIN_MAJOR:
        return f"{owner} or a superuser can GRANT MAINTAIN ON {facts.view} TO {facts.role}."
    if facts.owner_is_superuser:
        return f"A superuser can ALTER MATERIALIZED VIEW {facts.view} OWNER TO {facts.role}."
    return f"GRANT {owner} TO {facts.role} allows the refresh, and everything else that {owner} may do."


def _causes_in_code(facts: RefusalFacts) -> Iterator[str]:
    """Yield causes in functions and event triggers. Those of a view that does not exist are unknown."""
    runs_functions = facts.calls_functions or facts.owner is None
    if facts.lacks_privilege and (runs_functions or not facts.event_triggers):
        role = facts.owner or facts.role
        yield f"The query, with its functions, runs as {role}: grant {role} the privilege on what the message names."
    elif not facts.lacks_privilege and runs_functions:
        yield (
            "A refresh is a security-restricted operation: a function of the view may not create temporary tables,"
            " change the role or declare a cursor WITH HOLD there. Change the function."
        )
    if not facts.lacks_privilege and facts.is_row_security_off:
        yield f"With row_security = off, PostgreSQL refuses to filter rows: switch it on for {facts.role}."
    yield from _event_trigger_advice(facts)


def _event_trigger_advice(facts: RefusalFacts) -> Iterator[str]:
    if facts.event_triggers:
        yield (
            f"The command of {facts.role} also fires event triggers: {', '.join(facts.event_triggers)}. If the message"
            f" is about what one of them uses, such as its log table, correct that, or grant {facts.role} the"
            " privilege, such as INSERT."
        )


def undefined_name_advice(facts: RefusalFacts) -> str | None:
    """Return the next step after an undefined name, or None if it is in the query of a view that does not exist."""
    if facts.owner is None and not facts.is_in_function:
        return None
    return " ".join((*_search_path_advice(facts), *_event_trigger_advice(facts))) or None


def _search_path_advice(facts: RefusalFacts) -> Iterator[str]:
    if facts.event_triggers and facts.owner and not facts.calls_functions:
        return
    if facts.major >= _FIRST_MAINTAIN_MAJOR:
        yield (
            "PostgreSQL 17 and later refresh with search_path = pg_catalog, pg_temp. A function in the view that uses a"
            " name without its schema needs ALTER FUNCTION ... SET search_path, or a BEGIN ATOMIC body."
        )
    else:
        yield (
            "A function in the view uses a name that does not exist, or is in no schema of the search_path of"
            f" {facts.role}."
        )
