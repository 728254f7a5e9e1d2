"""References of lookups as temporary tables of a transaction.

A table of the database is copied, too: it may change while files are read, and its values need the form of texts.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import psycopg
from django.db import Error, connections
from psycopg import sql

from data_pipeline.dialect_errors import BadReference
from data_pipeline.domain.case_folding import SPACES
from data_pipeline.domain.dialects import Lookup
from data_pipeline.domain.enrichments import Pair, ambiguous_key, require_columns, require_in_memory
from data_pipeline.postgres import load_transactions
from data_pipeline.postgres.row_errors import diagnostics, is_refusal
from data_pipeline.postgres.sql_literals import text_literal
from data_pipeline.postgres.statements import STATEMENTS
from seeder.domain.view_names import ViewName
from seeder.postgres import sessions
from seeder.postgres.transactions import rolled_back_atomic
from seeder.texts import Text

_PAIRS = sql.Identifier("pg_temp", "data_pipeline.reference_pairs")  # the records of a file as they are


def read_table(database: str, lookup: Lookup) -> Sequence[Pair]:
    """Return the values of a reference that is a table.

    Its lock is free afterwards. Raises `BadReference`, also if the values do not fit in memory.
    """
    with rolled_back_atomic(database):
        load_transactions.begin_loading(database)
        # Nothing is written, so a transaction that takes hours holds back no vacuum.
        values = _values(_described(database, lookup), match=lookup.match, take=lookup.take)
        size = sql.SQL("SELECT sum(octet_length(key) + coalesce(octet_length(value), 0)) FROM ({}) AS r").format(values)
        require_in_memory(_query(database, lookup, size)[0][0] or 0, source=lookup.source)
        rows = _query(database, lookup, values)
    if (key := min((key for key, _, is_ambiguous in rows if is_ambiguous), default=None)) is not None:
        raise ambiguous_key(lookup.source, key)
    return [(key, value) for key, value, _ in rows]


def create_reference(
    database: str, lookup: Lookup, relation: sql.Identifier, *, pairs: Iterable[Pair] | None = None
) -> None:
    """Create a temporary table of a reference's keys and values.

    `pairs` are the records of a file; without them the reference is a table. The values are those of
    `enrichments.reference_values`. Raises `BadReference`.
    """
    create = sql.SQL("CREATE TEMPORARY TABLE {} ({}) ON COMMIT DROP")
    columns = sql.SQL('key text COLLATE "C", value text COLLATE "C", is_ambiguous boolean')
    sessions.query(database, create.format(relation, columns))
    fill = sql.SQL("INSERT INTO {} {}")
    if pairs is None:
        values = _values(_described(database, lookup), match=lookup.match, take=lookup.take)
        _query(database, lookup, fill.format(relation, values))
    else:
        sessions.query(database, sql.SQL("CREATE TEMPORARY TABLE {} (key text, value text)").format(_PAIRS))
        _copy_pairs(database, pairs)
        sessions.query(database, fill.format(relation, _values(_PAIRS, match="key", take="value")))
        sessions.query(database, sql.SQL("DROP TABLE {}").format(_PAIRS))
    ambiguous = sql.SQL("SELECT min(key) FROM {} WHERE is_ambiguous").format(relation)
    if (key := sessions.query(database, ambiguous)[0][0]) is not None:
        raise ambiguous_key(lookup.source, key)
    # A hash index takes keys of any length.
    index = sql.SQL("CREATE INDEX ON {relation} USING hash (key); ANALYZE {relation}")
    sessions.query(database, index.format(relation=relation))


def hash_of_reference(database: str, relation: sql.Identifier) -> str:
    """Return a hash of the values of a reference, in any order."""
    rows = sql.SQL("SELECT coalesce(sum(hashtextextended(ROW(key, value)::text, 0)::numeric), 0)::text FROM {}")
    return str(sessions.query(database, rows.format(relation))[0][0])


def _described(database: str, lookup: Lookup) -> sql.Identifier:
    """Return the relation of a lookup, whose columns are there."""
    name = ViewName.parse(lookup.source)
    rows = sessions.query(database, STATEMENTS["reference_columns"], {"schema": name.schema, "name": name.name})
    if not rows:
        raise BadReference(reference=lookup.source, problem=Text("there is no such table or view"))
    require_columns(lookup, [column for (column,) in rows])
    return sql.Identifier(name.schema, name.name)


def _copy_pairs(database: str, pairs: Iterable[Pair]) -> None:
    connection = sessions.driver_connection(database)
    with (
        connections[database].wrap_database_errors,
        psycopg.Cursor(connection) as cursor,
        cursor.copy(sql.SQL("COPY {} FROM STDIN").format(_PAIRS)) as copy,
    ):
        for pair in pairs:
            copy.write_row(pair)


def _query(database: str, lookup: Lookup, statement: sql.Composed) -> list[tuple[Any, ...]]:
    """Query the table of a lookup. Raises `BadReference` for an error of a view's expression."""
    try:
        return sessions.query(database, statement)
    except Error as error:
        if not is_refusal(error):
            raise
        raise BadReference(reference=lookup.source, problem=diagnostics(error).message_primary) from error


def _values(source: sql.Identifier, *, match: str, take: str) -> sql.Composed:
    """Return a query for keys, their values, and whether they have several."""
    return sql.SQL(
        "SELECT key, min(value) AS value,"
        " min(value) <> max(value) OR count(value) BETWEEN 1 AND count(*) - 1 AS is_ambiguous"
        " FROM (SELECT {key} AS key, nullif({value}, '') AS value FROM {source} OFFSET 0) AS r"
        " WHERE key <> '' GROUP BY key"
    ).format(source=source, key=_trimmed(match), value=_trimmed(take))


def _trimmed(column: str) -> sql.Composed:
    return sql.SQL('(btrim({}::text, {}) COLLATE "C")').format(sql.Identifier(column), text_literal(SPACES))
