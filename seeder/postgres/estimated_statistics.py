"""Estimates from the server's sample of a view. None of them is exact."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict

from psycopg import sql

from seeder.domain.snapshots.snapshot_contents import ColumnStatistics, TopValue, ViewStatistics
from seeder.domain.view_names import ViewName
from seeder.postgres import column_statistics, sessions, transactions, view_statements
from seeder.postgres.column_statistics import CountedColumn
from seeder.postgres.named_statements import STATEMENTS


def analyze_view(database: str, view: ViewName, parameters: Mapping[str, object]) -> None:
    """Run ANALYZE, which skips a view without an error if this role may not do so.

    `parameters` are those of a `snapshot_transaction`.
    """
    with transactions.BatchedTransaction(database) as transaction:
        transaction.begin((STATEMENTS["set_stable_output"], STATEMENTS["apply_limits"]), parameters)
        sessions.query(database, sql.SQL("ANALYZE {}").format(view_statements.view_identifier(view)))


def estimate_distinct_counts(database: str, view: ViewName) -> Mapping[str, float]:
    """Return the estimated number of distinct values of each column, if known."""
    rows = sessions.query(database, STATEMENTS["estimated_column_statistics"], asdict(view))
    return {name: distinct_count for _, name, _, distinct_count in rows if distinct_count is not None}


def estimate_statistics(
    database: str, view: ViewName, columns: Sequence[CountedColumn], *, top_columns: frozenset[str], max_top_values: int
) -> ViewStatistics | None:
    """Return what the server knows about a view, or None if it was never analyzed."""
    estimates = sessions.query(database, STATEMENTS["estimated_column_statistics"], asdict(view))
    row_count = estimates[0][0]
    if row_count is None:
        return None
    sampled = {name: (null_share, distinct_count) for _, name, null_share, distinct_count in estimates}
    statistics = {column.name: ColumnStatistics(nulls=None, exact=False) for column in columns}
    for column in columns:
        if column.name in sampled:
            null_share, distinct_count = sampled[column.name]
            limit = max_top_values if column.name in top_columns else 0
            minimum, maximum, top = _sampled_range_and_top_values(database, view, column, row_count, limit)
            statistics[column.name] = ColumnStatistics(
                nulls=round(null_share * row_count),
                distinct=None if distinct_count is None else round(distinct_count),
                minimum=minimum,
                maximum=maximum,
                exact=False,
                top=top if limit else None,
            )
    return ViewStatistics(row_count=row_count, exact=False, columns=statistics)


def _sampled_range_and_top_values(
    database: str, view: ViewName, column: CountedColumn, row_count: int, max_top_values: int
) -> tuple[str | None, str | None, tuple[TopValue, ...]]:
    """Return the minimum, the maximum and the most frequent values of the sample."""
    column_type = sql.SQL(column.base_type)  # as the catalog prints it
    groups = column_statistics.compose(
        "sampled_groups",
        rows=sql.Literal(row_count),
        type=column_type,
        # PostgreSQL reads a list of arrays as an array of two dimensions.
        list_type=sql.SQL("text") if column.base_type.endswith("[]") else column_type,
        view=view_statements.view_identifier(view),
        column_name=sql.Identifier(column.name),
        schema=sql.Literal(view.schema),
        name=sql.Literal(view.name),
        column=sql.Literal(column.name),
    )
    statements = column_statistics.summary_statements(groups, column, max_top_values=max_top_values)
    _, [(*_, minimum, maximum, top)] = column_statistics.query_first_supported(database, statements)
    top_values = column_statistics.parse_top_values(top) or ()
    return minimum, maximum, tuple(value for value in top_values if value.count)
