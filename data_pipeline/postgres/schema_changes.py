"""Creates a table for a file, or adds columns to one.

The changes are part of the transaction of a load.
"""

from collections.abc import Sequence

from django.db import Error
from psycopg import sql

from data_pipeline.domain.auto_tables import NewColumn
from data_pipeline.errors import ColumnsNotAdded, TableBusy
from data_pipeline.postgres.json_values import jsonb
from data_pipeline.postgres.statements import STATEMENTS
from data_pipeline.postgres.target_tables import LOAD_ID_COLUMN, TargetTable
from data_pipeline.postgres.tracking import LOCK_TIMEOUT_SECONDS
from seeder.domain.view_names import ViewName
from seeder.postgres import sessions
from seeder.postgres.sqlstates import INSUFFICIENT_PRIVILEGE, LOCK_NOT_AVAILABLE, sqlstate


def lock_name(database: str, name: ViewName) -> bool:
    """Wait for other loads that create this table. Return whether it exists. The lock lasts until the commit."""
    parameters = {"schema": name.schema, "name": name.name}
    sessions.query(database, STATEMENTS["lock_new_table"], parameters)
    return bool(sessions.query(database, STATEMENTS["target_relation"], parameters))


def create_table(  # noqa: PLR0913  # facts of one table
    database: str, name: ViewName, columns: Sequence[NewColumn], *, key: Sequence[str], load_id: int, artefact: str
) -> None:
    """Create a table with the column `load_id`, and its schema if missing."""
    if not sessions.query(database, STATEMENTS["schema_exists"], {"schema": name.schema})[0][0]:
        sessions.query(database, sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(name.schema)))
    table, load_column = sql.Identifier(name.schema, name.name), sql.Identifier(LOAD_ID_COLUMN)
    parts = [sql.SQL("{} {}").format(sql.Identifier(column.name), sql.SQL(column.type)) for column in columns]
    default = "nullif(current_setting('data_pipeline.load_id', true), '')::bigint"
    parts.append(sql.SQL("{} bigint DEFAULT " + default).format(load_column))
    if key:
        parts.append(sql.SQL("PRIMARY KEY ({})").format(sql.SQL(", ").join(map(sql.Identifier, key))))
    sessions.query(database, sql.SQL("CREATE TABLE {} ({})").format(table, sql.SQL(", ").join(parts)))
    index = sql.SQL("CREATE INDEX ON {} ({}) WHERE {} IS NOT NULL").format(table, load_column, load_column)
    sessions.query(database, index)
    facts = {"table": str(name), "file": artefact, "columns": {column.name: column.type for column in columns}}
    record_event(database, load_id, "table_created", facts)


def add_columns(database: str, target: TargetTable, columns: Sequence[NewColumn], *, load_id: int) -> None:
    """Add nullable columns to a table, unless it has them. Other sessions cannot use it until the commit.

    Raises `TableBusy` or `ColumnsNotAdded`.
    """
    added = [
        sql.SQL("ADD COLUMN IF NOT EXISTS {} {}").format(sql.Identifier(column.name), sql.SQL(column.type))
        for column in columns
    ]
    statement = sql.SQL("ALTER TABLE {} {}").format(target.identifier, sql.SQL(", ").join(added))
    try:
        sessions.query(database, STATEMENTS["limit_lock_wait"], {"timeout": f"{LOCK_TIMEOUT_SECONDS}s"})
        sessions.query(database, statement)
        sessions.query(database, STATEMENTS["restore_lock_wait"])
    except Error as error:
        if sqlstate(error) == LOCK_NOT_AVAILABLE:
            raise TableBusy(table=str(target.name), seconds=LOCK_TIMEOUT_SECONDS) from error
        if sqlstate(error) == INSUFFICIENT_PRIVILEGE:
            raise ColumnsNotAdded(table=str(target.name), statement=statement.as_string()) from error
        raise
    facts = {"table": str(target.name), "columns": {column.name: column.type for column in columns}}
    record_event(database, load_id, "columns_added", facts)


def record_event(database: str, load_id: int, event: str, facts: object) -> None:
    """Write an event of a load.

    Its actor is the process that loads.
    """
    sessions.query(
        database, STATEMENTS["record_load_event"], {"load_id": load_id, "event": event, "facts": jsonb(facts)}
    )
