"""What the server believes a view to hold, from a sample that it has taken: cheap, and no figure is exact."""

from collections.abc import Mapping, Sequence

from psycopg import sql

from seeder.domain.snapshots.snapshot_contents import ColumnStatistics, TopValue, ViewColumn, ViewStatistics
from seeder.domain.view_names import ViewName
from seeder.postgres import column_statistics, identifiers, sessions, transaction_limits, transactions


def analyze_view(database: str, view: ViewName, parameters: Mapping[str, object]) -> None:
    """Have the server look at a sample of the view, as its autovacuum does now and then. Where it does not let us, it
    passes the view over without an error. `parameters` are those of an `Instant`."""
    with transactions.BatchedTransaction(database) as transaction:
        transaction.begin(("set_stable_output", transaction_limits.APPLY_LIMITS), parameters)
        sessions.execute(database, sql.SQL("ANALYZE {}").format(identifiers.view_identifier(view)))


def estimate_distinct_counts(database: str, view: ViewName) -> Mapping[str, float]:
    """About how many values each column has, where anything is known of that."""
    return {
        name: distinct_count
        for name, _, distinct_count in sessions.query_view(database, "estimated_column_statistics", view)
        if distinct_count is not None
    }


def estimate_statistics(
    database: str, view: ViewName, columns: Sequence[ViewColumn], *, top_columns: frozenset[str], max_top_values: int
) -> ViewStatistics | None:
    """All that is known of the view; None where nobody has looked at it yet."""
    [(rows,)] = sessions.query_view(database, "estimated_row_count", view)
    if rows is None:
        return None
    sampled = {
        name: (nulls, distinct_count)
        for name, nulls, distinct_count in sessions.query_view(database, "estimated_column_statistics", view)
    }
    return ViewStatistics(
        row_count=rows,
        exact=False,
        columns={
            column.name: _estimate_column(
                database, view, column, rows, *sampled[column.name], max_top_values if column.name in top_columns else 0
            )
            if column.name in sampled
            else ColumnStatistics(nulls=None, exact=False)
            for column in columns
        },
    )


def _estimate_column(  # noqa: PLR0913, PLR0917  # the facts of one column
    database: str,
    view: ViewName,
    column: ViewColumn,
    rows: int,
    nulls: float,
    distinct_count: float | None,
    max_top_values: int,
) -> ColumnStatistics:
    minimum, maximum, top = _sample_range_and_top_values(database, view, column, rows, max_top_values)
    return ColumnStatistics(
        nulls=round(nulls * rows),
        distinct=None if distinct_count is None else round(distinct_count),
        minimum=minimum,
        maximum=maximum,
        exact=False,
        top=top if max_top_values else None,
    )


def _sample_range_and_top_values(
    database: str, view: ViewName, column: ViewColumn, rows: int, max_top_values: int
) -> tuple[str | None, str | None, tuple[TopValue, ...]]:
    """The least and the greatest value of the sample, and the most frequent ones."""
    if not column.type.endswith("[]"):  # of an array of arrays nobody could tell what an element is
        groups = column_statistics.compose(
            "sampled_groups",
            rows=sql.Literal(rows),
            type=sql.SQL(column.type),  # as the catalog itself writes it
            schema=sql.Literal(view.schema),
            name=sql.Literal(view.name),
            column=sql.Literal(column.name),
        )
        for _, statement in column_statistics.summary_statements(groups, column.type, max_top_values=max_top_values):
            summary_rows = column_statistics.query_if_supported(database, statement)
            if summary_rows is not None:
                [(*_, minimum, maximum, top)] = summary_rows
                return (
                    minimum,
                    maximum,
                    tuple(value for value in column_statistics.parse_top_values(top) or () if value.count),
                )
    return None, None, ()
