"""Estimates from the server's sample of a view. None of them is exact."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict

from psycopg import sql

from seeder.domain.snapshots.snapshot_contents import ColumnStatistics, TopValue, ViewColumn, ViewStatistics
from seeder.domain.view_names import ViewName
from seeder.postgres import column_statistics, sessions, transactions, view_statements
from seeder.postgres.named_statements import STATEMENTS


def analyze_view(database: str, view: ViewName, parameters: Mapping[str, object]) -> None:
    """Run ANALYZE, which skips a view without an error if this role may not do so.

    `parameters` are those of a `SharedSnapshot`.
    """
    with transactions.BatchedTransaction(database) as transaction:
        transaction.begin((STATEMENTS["set_stable_output"], STATEMENTS["apply_limits"]), parameters)
        sessions.execute(database, sql.SQL("ANALYZE {}").format(view_statements.view_identifier(view)))


def estimate_distinct_counts(database: str, view: ViewName) -> Mapping[str, float]:
    """Return the estimated number of distinct values of each column, if known."""
    columns = _sampled_columns(database, view)
    return {name: distinct_count for name, (_, distinct_count) in columns.items() if distinct_count is not None}


def estimate_statistics(
    database: str, view: ViewName, columns: Sequence[ViewColumn], *, top_columns: frozenset[str], max_top_values: int
) -> ViewStatistics | None:
    """Return what the server knows about a view, or None if it was never analyzed."""
    [(rows,)] = sessions.query(database, STATEMENTS["estimated_row_count"], asdict(view))
    if rows is None:
        return None
    sampled = _sampled_columns(database, view)
    statistics = {column.name: ColumnStatistics(nulls=None, exact=False) for column in columns}
    for column in columns:
        if column.name in sampled:
            null_share, distinct_count = sampled[column.name]
            limit = max_top_values if column.name in top_columns else 0
            minimum, maximum, top = _sampled_range_and_top_values(database, view, column, rows, limit)
            statistics[column.name] = ColumnStatistics(
                nulls=round(null_share * rows),
                distinct=None if distinct_count is None else round(distinct_count),
                minimum=minimum,
                maximum=maximum,
                exact=False,
                top=top if limit else None,
            )
    return ViewStatistics(row_count=rows, exact=False, columns=statistics)


def _sampled_columns(database: str, view: ViewName) -> Mapping[str, tuple[float, float | None]]:
    """Return the share of nulls and the number of distinct values of each analyzed column."""
    rows = sessions.query(database, STATEMENTS["estimated_column_statistics"], asdict(view))
    return {name: (null_share, distinct_count) for name, null_share, distinct_count in rows}


def _sampled_range_and_top_values(
    database: str, view: ViewName, column: ViewColumn, rows: int, max_top_values: int
) -> tuple[str | None, str | None, tuple[TopValue, ...]]:
    """Return the minimum, the maximum and the most frequent values of the sample."""
    if column.type.endswith("[]"):  # an array of arrays has no element type
        return None, None, ()
    groups = column_statistics.compose(
        "sampled_groups",
        rows=sql.Literal(rows),
        type=sql.SQL(column.type),  # as the catalog prints it
        schema=sql.Literal(view.schema),
        name=sql.Literal(view.name),
        column=sql.Literal(column.name),
    )
    for _, statement in column_statistics.summary_statements(groups, column.type, max_top_values=max_top_values):
        summary_rows = column_statistics.query_if_supported(database, statement)
        if summary_rows is not None:
            [(*_, minimum, maximum, top)] = summary_rows
            top_values = column_statistics.parse_top_values(top) or ()
            return minimum, maximum, tuple(value for value in top_values if value.count)
    return None, None, ()
