"""The only writer of release snapshots, one row each."""

from dataclasses import asdict

from django.db import DEFAULT_DB_ALIAS, IntegrityError

from seeder.domain.manifests import ViewKey
from seeder.domain.snapshots.snapshot_contents import ColumnStatistics, Release, Snapshot, TopValue, ViewStatistics
from seeder.domain.snapshots.view_shape import ViewColumn, ViewShape
from seeder.errors import CaptureFailed, SnapshotTaken
from seeder.models import ReleaseSnapshot
from seeder.postgres.sqlstates import UNIQUE_VIOLATION, first_line, sqlstate, translate_database_errors
from seeder.services.snapshots.view_profile import ViewProfile


def insert_snapshot(key: ViewKey, release: Release, profile: ViewProfile) -> Snapshot:
    shape, figures = profile.shape, profile.statistics
    tops = {
        name: [[top.value, top.count] for top in column.top]
        for name, column in figures.columns.items()
        if column.top is not None
    }
    statistics = {name: asdict(column) for name, column in figures.columns.items()}
    for column in statistics.values():
        del column["top"]
    row = ReleaseSnapshot(
        table_name=str(key.name),
        release_tag=release.tag,
        release_version=release.version,
        captured_at=profile.captured_at,
        schema_hash=shape.schema_hash,
        definition_hash=shape.definition_hash,
        server_version=shape.server_version,
        exact=figures.exact,
        row_count=figures.row_count,
        column_count=len(shape.columns),
        columns=[asdict(column) for column in shape.columns],
        column_statistics=statistics,
        top_values=tops or None,
    )
    with translate_database_errors(DEFAULT_DB_ALIAS):
        try:
            row.save(force_insert=True)
        except IntegrityError as error:
            if sqlstate(error) != UNIQUE_VIOLATION:
                raise CaptureFailed(view=key.name, cause=first_line(error)) from error
            raise SnapshotTaken(view=key.name, tag=release.tag) from error
    return snapshot_from_row(row)


def snapshot_from_row(row: ReleaseSnapshot) -> Snapshot:
    tops = row.top_values or {}
    return Snapshot(
        id=row.pk,
        table_name=row.table_name,
        release=Release(tag=row.release_tag, version=row.release_version),
        shape=ViewShape(
            columns=tuple(ViewColumn(**column) for column in row.columns),
            definition_hash=row.definition_hash,
            server_version=row.server_version,
        ),
        statistics=ViewStatistics(
            row_count=row.row_count,
            exact=row.exact,
            columns={
                name: ColumnStatistics(
                    **facts,
                    top=tuple(TopValue(value=value, count=n) for value, n in tops[name]) if name in tops else None,
                )
                for name, facts in row.column_statistics.items()
            },
        ),
        captured_at=row.captured_at,
    )
