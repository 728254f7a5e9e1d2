"""What a server says of itself, of our role and of the reporting tables. Nothing is changed or waited for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from seeder.domain.server_rules import ServerFacts
from seeder.postgres import contract, sessions, transactions


@dataclass(frozen=True, kw_only=True, slots=True)
class Statements:
    """How pg_stat_statements stands."""

    preloaded: bool
    created: bool
    new_enough: bool
    readable: bool
    schema: str | None  # as SQL wants it; None where it is not created
    libraries: str | None  # that are preloaded; None where our role may not know


@dataclass(frozen=True, kw_only=True, slots=True)
class Forbidden:
    """A privilege that our role lacks."""

    table: str
    sql: str  # the table, or the sequence that numbers its rows, as SQL wants it
    is_sequence: bool
    privilege: str


def ask(database: str, statement: str, parameters: Mapping[str, Any] | None = None) -> sessions.Rows:
    """The rows of a named statement, read in a transaction of its own in which nothing can be written. It travels with
    the transaction's beginning."""
    with transactions.Transaction(database, by="begin_look") as look:
        _, rows = look.begin(("look_briefly", statement), parameters or {})
    return rows


def server(database: str) -> ServerFacts:
    [row] = ask(database, "server")
    names = (
        "version",
        "release",
        "role",
        "database",
        "is_superuser",
        "is_standby",
        "is_read_only",
        "deadlock_timeout",
        "transaction_timeout",
        "idle_session_timeout",
        "max_connections",
        "reserved_connections",
        "role_connections",
        "database_connections",
    )
    return ServerFacts(**dict(zip(names, row, strict=True)), is_pooled=sessions.is_pooled(database))


def forbidden(database: str, wanted: Mapping[str, Sequence[str]]) -> Sequence[Forbidden]:
    """What our role lacks of the wanted privileges on tables of the contract, as far as those exist."""
    parameters = {
        "schema": contract.SCHEMA,
        "tables": [*wanted],
        "privileges": [",".join(privileges) for privileges in wanted.values()],
    }
    return [
        Forbidden(table=table, sql=sql, is_sequence=is_sequence, privilege=privilege)
        for table, sql, is_sequence, privilege in ask(database, "tables_forbidden", parameters)
    ]


def statements(database: str) -> Statements:
    [(preloaded, created, new_enough, readable, schema, libraries)] = ask(database, "statements_extension")
    return Statements(
        preloaded=preloaded,
        created=created,
        new_enough=new_enough,
        readable=readable,
        schema=schema,
        libraries=libraries,
    )
