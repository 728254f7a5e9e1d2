"""Statements of a dry run: sequences, the load id, and columns."""

from collections.abc import Mapping

from psycopg import sql

from data_pipeline.errors import SequenceNotHeld
from data_pipeline.postgres.statements import STATEMENTS
from data_pipeline.postgres.target_tables import TargetTable
from seeder.domain.view_names import ViewName
from seeder.postgres import sessions


def pretend_load_id(database: str) -> None:
    """Give rows of tracked tables an id without a load.

    It lasts until the end of the transaction.
    """
    sessions.query(database, STATEMENTS["pretend_load_id"])


def hold_sequences(database: str, table: TargetTable) -> None:
    """Keep the numbers that this transaction draws from being lost.

    Numbers that a transaction draws are lost even if it is rolled back. But ALTER SEQUENCE, here without a change,
    gives the sequence new storage, and the rollback discards that. Other sessions that draw numbers wait until then.

    Raises `SequenceNotHeld` if another role owns a sequence, or a database error if another session uses it too long.
    """
    for schema, name, increment, is_owner in sessions.query(
        database, STATEMENTS["sequences_of_table"], {"oid": table.oid}
    ):
        sequence = ViewName(schema=schema, name=name)
        if not is_owner:
            raise SequenceNotHeld(table=str(table.name), sequence=str(sequence))
        statement = sql.SQL("ALTER SEQUENCE {} INCREMENT BY {}").format(
            sql.Identifier(schema, name), sql.Literal(increment)
        )
        sessions.query(database, statement)


def column_types(database: str, table: ViewName) -> Mapping[str, str]:
    """Return the types of a table's columns in order. Nothing if it does not exist."""
    parameters = {"schema": table.schema, "name": table.name}
    return dict(sessions.query(database, STATEMENTS["columns_by_name"], parameters))
