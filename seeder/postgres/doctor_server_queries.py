"""What a server says of itself, of our role and of the reporting tables. Nothing is changed or waited for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from seeder.domain.doctor.server_rules import ServerFacts
from seeder.postgres import contract, sessions, transactions


@dataclass(frozen=True, kw_only=True, slots=True)
class StatementStatisticsExtension:
    """How pg_stat_statements stands."""

    is_preloaded: bool
    is_created: bool
    is_supported_version: bool
    is_readable: bool
    schema: str | None  # as SQL wants it; None where it is not created
    preloaded_libraries: str | None  # that are preloaded; None where our role may not know


@dataclass(frozen=True, kw_only=True, slots=True)
class MissingPrivilege:
    """A privilege that our role lacks."""

    table: str
    quoted_name: str  # the table, or the sequence that numbers its rows, as SQL wants it
    is_sequence: bool
    privilege: str


def query_read_only(database: str, statement: str, parameters: Mapping[str, Any] | None = None) -> sessions.Rows:
    """The rows of a named statement, read in a transaction of its own in which nothing can be written. It travels with
    the transaction's beginning."""
    with transactions.BatchedTransaction(database, begin_statement="begin_read_only") as transaction:
        _, rows = transaction.begin(("set_short_timeouts", statement), parameters or {})
    return rows


def server_facts(database: str) -> ServerFacts:
    [row] = query_read_only(database, "server_facts")
    names = (
        "version_num",
        "version_text",
        "role",
        "database",
        "is_superuser",
        "is_standby",
        "is_read_only",
        "deadlock_timeout_ms",
        "transaction_timeout_ms",
        "idle_session_timeout_ms",
        "max_connections",
        "reserved_connections",
        "role_connection_limit",
        "database_connection_limit",
    )
    return ServerFacts(**dict(zip(names, row, strict=True)), is_pooled=sessions.is_pooled(database))


def missing_privileges(database: str, required: Mapping[str, Sequence[str]]) -> Sequence[MissingPrivilege]:
    """What our role lacks of the wanted privileges on tables of the contract, as far as those exist."""
    parameters = {
        "schema": contract.SCHEMA,
        "tables": [*required],
        "privileges": [",".join(privileges) for privileges in required.values()],
    }
    return [
        MissingPrivilege(table=table, quoted_name=sql, is_sequence=is_sequence, privilege=privilege)
        for table, sql, is_sequence, privilege in query_read_only(database, "missing_table_privileges", parameters)
    ]


def statement_statistics_extension(database: str) -> StatementStatisticsExtension:
    [(preloaded, created, new_enough, readable, schema, libraries)] = query_read_only(
        database, "statement_statistics_extension"
    )
    return StatementStatisticsExtension(
        is_preloaded=preloaded,
        is_created=created,
        is_supported_version=new_enough,
        is_readable=readable,
        schema=schema,
        preloaded_libraries=libraries,
    )
