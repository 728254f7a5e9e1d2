"""Serializes rows as jsonb objects, from which each value is restored exactly.

The values are texts. JSON itself would lose some: the order in a json column, the sign of a negative zero, a JSON null
beside an SQL null.
"""

from collections.abc import Iterable, Sequence

from psycopg import sql

from data_pipeline.postgres.target_tables import TargetColumn


def row_texts(columns: Sequence[str], *, alias: str) -> sql.Composed:
    """Return the expression of a row as a jsonb object of texts."""
    names = sql.SQL(", ").join(map(sql.Literal, columns))
    values = sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier(alias, name)) for name in columns)
    return sql.SQL("jsonb_object(ARRAY[{}]::text[], ARRAY[{}]::text[])").format(names, values)


def value_of(column: TargetColumn, texts: sql.Composable) -> sql.Composed:
    """Return the value of a column that `row_texts` has kept."""
    return sql.SQL("({} ->> {})::{}").format(texts, sql.Literal(column.name), sql.SQL(column.type))


def same_values(columns: Iterable[TargetColumn], *, alias: str, texts: sql.Composable) -> sql.Composed:
    """Return the condition that columns have their kept values.

    None of the kept values may be null.
    """
    return sql.SQL(" AND ").join(
        sql.SQL("{} {} {}").format(sql.Identifier(alias, one.name), sql.SQL(one.equality), value_of(one, texts))
        for one in columns
    )
