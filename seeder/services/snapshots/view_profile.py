"""The shape and statistics of a view in one database snapshot."""

from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress

from django.db import Error

from seeder.domain.manifests import ViewKey
from seeder.domain.snapshots.column_grouping import group_columns, has_many_values
from seeder.domain.snapshots.snapshot_contents import Snapshot, ViewStatistics, sha256_hex
from seeder.domain.suggestions import did_you_mean
from seeder.domain.view_names import ViewName
from seeder.errors import CaptureFailed, NeverAnalyzed, UnknownColumn
from seeder.postgres import catalog, column_statistics, estimated_statistics, row_counts, shared_snapshot
from seeder.postgres.sqlstates import is_connection_lost
from seeder.services.snapshots.parallel_column_count import CaptureOptions, ParallelCounter
from seeder.texts import Text

_MAX_SNAPSHOTS = 5


def profile_view(key: ViewKey, options: CaptureOptions) -> Snapshot:
    """Read the shape and statistics of a view.

    Its lock blocks a plain refresh, but neither readers nor concurrent refreshes.

    Raises `ViewMissing`, `NotAView`, `NeverFilled`, `NeverAnalyzed`, `UnknownColumn`, `CaptureFailed` or PostgreSQL's
    errors.
    """
    for _ in range(_MAX_SNAPSHOTS):
        with suppress(shared_snapshot.ViewReplaced):
            return _profile_in_snapshot(key, options)
    cause = Text("it was dropped and created again during {number} attempts.", number=_MAX_SNAPSHOTS)
    raise CaptureFailed(view=key.name, cause=cause)


def _profile_in_snapshot(key: ViewKey, options: CaptureOptions) -> Snapshot:
    """Profile the view in one snapshot. Raises `ViewReplaced` too."""
    database, name = key.database, key.name
    if catalog.relation_state(database, name):
        _analyze_sample(key, options)
    with shared_snapshot.snapshot_transaction(database, options.parameters):
        snapshot = shared_snapshot.lock_and_export(database, name)
        column_names = {column.name for column in snapshot.columns}
        if options.strict:
            require_columns(name, options.top_values_columns, column_names)
        top_columns = options.top_values_columns & column_names
        columns = column_statistics.read_columns(database, name)
        if options.approximate:
            statistics = estimated_statistics.estimate_statistics(
                database, name, columns, top_columns=top_columns, max_top_values=options.max_top_values
            )
        else:
            statistics = _count(key, columns, snapshot.id, top_columns, options)
        if statistics is None:
            raise NeverAnalyzed(view=name)
        return Snapshot(
            table_name=str(name),
            release=options.release,
            columns=snapshot.columns,
            definition_hash=sha256_hex(snapshot.definition),
            server_version=snapshot.server_version,
            statistics=statistics,
            captured_at=snapshot.taken_at,
        )


def _count(
    key: ViewKey,
    columns: Sequence[column_statistics.CountedColumn],
    snapshot_id: str,
    top_columns: frozenset[str],
    options: CaptureOptions,
) -> ViewStatistics:
    database, name = key.database, key.name
    by_name = {column.name: column for column in columns}
    distinct_counts = estimated_statistics.estimate_distinct_counts(database, name)
    tasks = [
        column_statistics.CountTask(
            view=name,
            columns=tuple(by_name[one] for one in together),
            top_columns=top_columns,
            max_top_values=options.max_top_values,
            has_many_values=has_many_values(together, distinct_counts),
        )
        for together in group_columns(by_name, distinct_counts)
    ]
    counted = ParallelCounter(database, snapshot_id, options).count(tasks)
    rows = next(iter(counted.values()))[0] if counted else row_counts.count_rows(database, name)
    return ViewStatistics(row_count=rows, exact=True, columns={column: counted[column][1] for column in by_name})


def _analyze_sample(key: ViewKey, options: CaptureOptions) -> None:
    """Update the planner statistics of a view if the capture needs them.

    An approximate capture consists of these estimates. An exact capture only uses them to be faster, so that it
    ignores a failed ANALYZE.
    """
    database, name = key.database, key.name
    if not options.approximate and estimated_statistics.estimate_distinct_counts(database, name):
        return
    try:
        estimated_statistics.analyze_view(database, name, options.parameters)
    except Error as error:
        if options.approximate or is_connection_lost(error):
            raise


def require_columns(view: ViewName, requested: Iterable[str], known: Collection[str]) -> None:
    """Raise `UnknownColumn` for a requested column that the view does not have."""
    for column in sorted(set(requested).difference(known)):
        raise UnknownColumn(view=view, column=column, suggestion=did_you_mean(column, known))
