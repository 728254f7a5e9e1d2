"""What the server believes a view to hold, from a sample that it has taken: cheap, and no figure is exact."""

from collections.abc import Mapping, Sequence

from psycopg import sql

from seeder.domain.names import ViewName
from seeder.domain.shapes import ViewColumn
from seeder.domain.snapshots import ColumnStatistics, TopValue, ViewStatistics
from seeder.postgres import figures, identifiers, limits, sessions, transactions


def take_sample(database: str, view: ViewName, parameters: Mapping[str, object]) -> None:
    """Have the server look at a sample of the view, as its autovacuum does now and then. Where it does not let us, it
    passes the view over without an error. `parameters` are those of an `Instant`."""
    with transactions.Transaction(database) as transaction:
        transaction.begin(("steady", limits.LIMIT), parameters)
        sessions.execute(database, sql.SQL("ANALYZE {}").format(identifiers.identifier(view)))


def distinct(database: str, view: ViewName) -> Mapping[str, float]:
    """About how many values each column has, where anything is known of that."""
    return {name: number for name, _, number in sessions.query_about(database, "estimates", view) if number is not None}


def estimate(
    database: str, view: ViewName, columns: Sequence[ViewColumn], *, top: frozenset[str], most: int
) -> ViewStatistics | None:
    """All that is known of the view; None where nobody has looked at it yet."""
    [(rows,)] = sessions.query_about(database, "estimated_rows", view)
    if rows is None:
        return None
    known = {name: (nulls, number) for name, nulls, number in sessions.query_about(database, "estimates", view)}
    return ViewStatistics(
        row_count=rows,
        exact=False,
        columns={
            column.name: _estimated(
                database, view, column, rows, *known[column.name], most if column.name in top else 0
            )
            if column.name in known
            else ColumnStatistics(nulls=None, exact=False)
            for column in columns
        },
    )


def _estimated(  # noqa: PLR0913, PLR0917  # the facts of one column
    database: str, view: ViewName, column: ViewColumn, rows: int, nulls: float, number: float | None, most: int
) -> ColumnStatistics:
    least, greatest, top = _ends(database, view, column, rows, most)
    return ColumnStatistics(
        nulls=round(nulls * rows),
        distinct=None if number is None else round(number),
        minimum=least,
        maximum=greatest,
        exact=False,
        top=top if most else None,
    )


def _ends(
    database: str, view: ViewName, column: ViewColumn, rows: int, most: int
) -> tuple[str | None, str | None, tuple[TopValue, ...]]:
    """The least and the greatest value of the sample, and the most frequent ones."""
    if not column.type.endswith("[]"):  # of an array of arrays nobody could tell what an element is
        groups = figures.fill(
            "groups_of_sample",
            rows=sql.Literal(rows),
            type=sql.SQL(column.type),  # as the catalog itself writes it
            schema=sql.Literal(view.schema),
            name=sql.Literal(view.name),
            column=sql.Literal(column.name),
        )
        for _, statement in figures.summaries(groups, column.type, most=most):
            found = figures.unless_lacking(database, statement)
            if found is not None:
                [(*_, least, greatest, top)] = found
                return least, greatest, tuple(value for value in figures.tops(top) or () if value.count)
    return None, None, ()
