"""The column with the id of the load that wrote a row."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import Error
from psycopg import sql

from data_pipeline.correction_errors import NotOwner, NotTrackable
from data_pipeline.errors import TableBusy
from data_pipeline.postgres.statements import STATEMENTS
from data_pipeline.postgres.target_tables import LOAD_ID_COLUMN, TargetTable
from seeder.postgres import sessions
from seeder.postgres.sqlstates import INSUFFICIENT_PRIVILEGE, LOCK_NOT_AVAILABLE, sqlstate
from seeder.postgres.transactions import atomic
from seeder.texts import Text

LOCK_TIMEOUT_SECONDS = 5  # other sessions that want to use the table wait as long
_SETTING = "data_pipeline.load_id"
_FOREIGN_TABLE, _PARTITIONED_TABLE = "f", "p"


@dataclass(frozen=True, kw_only=True, slots=True)
class TrackingStep:
    """A statement that a table still needs."""

    statement: str
    locks: str  # what it locks, and for how long
    is_transactional: bool  # otherwise it must run outside of a transaction


def missing_steps(database: str, target: TargetTable) -> Sequence[TrackingStep]:
    """Return what a table needs to be tracked. Raises `NotTrackable`."""
    parameters = {"oid": target.oid, "column": LOAD_ID_COLUMN}
    [(kind, column_type, default, has_index, broken_index)] = sessions.query(
        database, STATEMENTS["tracking_state"], parameters
    )
    if kind == _FOREIGN_TABLE:
        raise NotTrackable(
            table=str(target.name), problem=Text("it is a foreign table, and its rows are in another database")
        )
    if column_type not in {None, "bigint"}:
        problem = Text(
            "its column {column} has the type {type}, but must be bigint",
            column=LOAD_ID_COLUMN,
            type=column_type,
        )
        raise NotTrackable(table=str(target.name), problem=problem)
    if default is not None and _SETTING not in default:
        raise NotTrackable(
            table=str(target.name),
            problem=Text("its column {column} has the default {default}", column=LOAD_ID_COLUMN, default=default),
        )
    steps = [*_column_steps(target, has_column=column_type is not None, has_default=default is not None)]
    if broken_index:
        index = sql.Identifier(target.name.schema, broken_index)
        steps.append(_step(sql.SQL("DROP INDEX CONCURRENTLY {}").format(index), "nothing", is_transactional=False))
    return steps if has_index else [*steps, _index_step(target, is_partitioned=kind == _PARTITIONED_TABLE)]


def _column_steps(target: TargetTable, *, has_column: bool, has_default: bool) -> Sequence[TrackingStep]:
    column, steps = sql.Identifier(LOAD_ID_COLUMN), []
    locks = Text("all use of the table for some milliseconds; no row is rewritten")
    if not has_column:
        # With the default in the same statement, existing rows would get the value that it has now.
        statement = sql.SQL("ALTER TABLE {} ADD COLUMN {} bigint").format(target.identifier, column)
        steps.append(_step(statement, locks))
    if not has_default:
        statement = sql.SQL(
            "ALTER TABLE {} ALTER COLUMN {} SET DEFAULT nullif(current_setting({}, true), '')::bigint"
        ).format(target.identifier, column, sql.Literal(_SETTING))
        steps.append(_step(statement, locks))
    return steps


def _index_step(target: TargetTable, *, is_partitioned: bool) -> TrackingStep:
    column = sql.Identifier(LOAD_ID_COLUMN)
    if is_partitioned:  # PostgreSQL cannot create the index of a partitioned table concurrently
        statement = sql.SQL("CREATE INDEX ON {} ({}) WHERE {} IS NOT NULL")
        locks = Text("writes to all partitions while each is scanned once")
    else:
        statement = sql.SQL("CREATE INDEX CONCURRENTLY ON {} ({}) WHERE {} IS NOT NULL")
        locks = Text("neither reads nor writes, but waits for the transactions that use the table")
    return _step(statement.format(target.identifier, column, column), locks, is_transactional=is_partitioned)


def _step(statement: sql.Composed, locks: str, *, is_transactional: bool = True) -> TrackingStep:
    return TrackingStep(statement=f"{statement.as_string()};", locks=locks, is_transactional=is_transactional)


def run_steps(database: str, target: TargetTable, steps: Sequence[TrackingStep]) -> None:
    """Run the statements. Raises `NotOwner` or `TableBusy`."""
    try:
        with atomic(database, durable=True):
            sessions.query(database, sql.SQL("SET LOCAL lock_timeout = {}").format(f"{LOCK_TIMEOUT_SECONDS}s"))
            for step in steps:
                if step.is_transactional:
                    sessions.query(database, sql.SQL(step.statement))
        for step in steps:
            if not step.is_transactional:
                sessions.query(database, sql.SQL(step.statement))
    except Error as error:
        match sqlstate(error):
            case state if state == INSUFFICIENT_PRIVILEGE:
                statements = " ".join(step.statement for step in steps)
                raise NotOwner(table=str(target.name), statements=statements) from error
            case state if state == LOCK_NOT_AVAILABLE:
                raise TableBusy(table=str(target.name), seconds=LOCK_TIMEOUT_SECONDS) from error
        raise
