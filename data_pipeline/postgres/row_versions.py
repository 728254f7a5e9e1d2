"""Which rows a load wrote, by transaction ids.

They are those of the current versions.
"""

from collections.abc import Sequence
from typing import NamedTuple

from psycopg import sql

from data_pipeline.postgres.row_sets import number_list
from data_pipeline.postgres.statements import STATEMENTS
from data_pipeline.postgres.target_tables import LOAD_ID_COLUMN, TargetTable
from seeder.postgres import sessions

_LOAD_ID = sql.Identifier("t", LOAD_ID_COLUMN)


class Writer(NamedTuple):
    """The transaction of a load or undo.

    It is a range of transaction ids.
    """

    first: int
    length: int
    others: Sequence[int]  # ids in the range that belong to other transactions
    is_load: bool  # otherwise an undo, which has put rows back as they were


def writers_of(database: str, target: TargetTable, load_id: int) -> Sequence[Writer]:
    """Return the transactions of a load and of later undos.

    The undos are those in its table.
    """
    parameters = {"load_id": load_id, "target": str(target.name)}
    return [Writer(*row) for row in sessions.query(database, STATEMENTS["written_by"], parameters)]


def is_written_by(writers: Sequence[Writer]) -> sql.Composed:
    """Return the condition that one of these wrote a row of `t`. Without a writer, any may have."""
    conditions = [
        sql.SQL(
            "(mod(t.xmin::text::bigint - {} + 4294967296, 4294967296) <= {} AND t.xmin::text::bigint <> ALL ({}))"
        ).format(one.first, one.length, number_list(one.others))
        for one in writers
    ]
    return sql.SQL("({})").format(sql.SQL(" OR ").join(conditions) if conditions else sql.SQL("true"))


def has_rows_without_id(database: str, target: TargetTable, load_id: int) -> bool:
    """Return whether a load wrote rows without its id.

    It did if the table was tracked only afterwards. A row without an id can also be of another transaction that ended
    meanwhile, so no row may have the id.
    """
    of_load = [one for one in writers_of(database, target, load_id) if one.is_load]
    statement = sql.SQL(
        "SELECT EXISTS (SELECT FROM {table} AS t WHERE {id} IS NULL AND {written})"
        " AND NOT EXISTS (SELECT FROM {table} AS t WHERE {id} = {load_id})"
    ).format(table=target.identifier, id=_LOAD_ID, written=is_written_by(of_load), load_id=load_id)
    return bool(sessions.query(database, statement)[0][0])
