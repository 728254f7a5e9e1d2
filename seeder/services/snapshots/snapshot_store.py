"""The only writer of release snapshots, one row each."""

from dataclasses import asdict, replace

from django.db import DEFAULT_DB_ALIAS, IntegrityError

from seeder.domain.snapshots.snapshot_contents import (
    ColumnStatistics,
    Release,
    Snapshot,
    TopValue,
    ViewColumn,
    ViewStatistics,
)
from seeder.errors import CaptureFailed, SnapshotTaken
from seeder.models import ReleaseSnapshot
from seeder.postgres.sqlstates import UNIQUE_VIOLATION, first_line, sqlstate, translate_database_errors


def insert_snapshot(snapshot: Snapshot) -> Snapshot:
    """Store a snapshot and return it with its id.

    Raises `SnapshotTaken`, `CaptureFailed` or `DatabaseError`.
    """
    statistics = {name: asdict(column) for name, column in snapshot.statistics.columns.items()}
    tops = {name: column.pop("top") for name, column in statistics.items()}
    top_values = {name: [[*top.values()] for top in column] for name, column in tops.items() if column is not None}
    row = ReleaseSnapshot(
        table_name=snapshot.table_name,
        release_tag=snapshot.release.tag,
        release_version=snapshot.release.version,
        captured_at=snapshot.captured_at,
        schema_hash=snapshot.schema_hash,
        definition_hash=snapshot.definition_hash,
        server_version=snapshot.server_version,
        exact=snapshot.statistics.exact,
        row_count=snapshot.statistics.row_count,
        column_count=len(snapshot.columns),
        columns=[asdict(column) for column in snapshot.columns],
        column_statistics=statistics,
        top_values=top_values or None,
    )
    with translate_database_errors(DEFAULT_DB_ALIAS):
        try:
            row.save(force_insert=True)
        except IntegrityError as error:
            if sqlstate(error) != UNIQUE_VIOLATION:
                raise CaptureFailed(view=snapshot.table_name, cause=first_line(error)) from error
            raise SnapshotTaken(view=snapshot.table_name, tag=snapshot.release.tag) from error
    return replace(snapshot, id=row.pk)


def snapshot_from_row(row: ReleaseSnapshot) -> Snapshot:
    tops = {
        name: tuple(TopValue(value=value, count=count) for value, count in pairs)
        for name, pairs in (row.top_values or {}).items()
    }
    statistics = {name: ColumnStatistics(**facts, top=tops.get(name)) for name, facts in row.column_statistics.items()}
    return Snapshot(
        id=row.pk,
        table_name=row.table_name,
        release=Release(tag=row.release_tag, version=row.release_version),
        columns=tuple(ViewColumn(**column) for column in row.columns),
        definition_hash=row.definition_hash,
        server_version=row.server_version,
        statistics=ViewStatistics(row_count=row.row_count, exact=row.exact, columns=statistics),
        captured_at=row.captured_at,
    )
