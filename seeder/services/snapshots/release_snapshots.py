"""Capture, lookup and comparison of immutable release snapshots."""

from collections.abc import Sequence

from django.db import DEFAULT_DB_ALIAS, Error

from seeder import conf
from seeder.domain.manifests import ViewKey
from seeder.domain.refresh_requests import SingleView
from seeder.domain.snapshots import snapshot_drift
from seeder.domain.snapshots.drift_rules import with_defaults
from seeder.domain.snapshots.snapshot_contents import Release, Snapshot
from seeder.domain.snapshots.snapshot_drift import SnapshotComparison
from seeder.domain.view_names import ViewName
from seeder.errors import (
    AmbiguousView,
    CaptureFailed,
    DifferentViews,
    NothingToCapture,
    SnapshotTaken,
    UnknownSnapshot,
    ViewMissing,
)
from seeder.models import ReleaseSnapshot
from seeder.postgres import catalog
from seeder.postgres.sqlstates import first_line, is_connection_lost, translate_database_errors
from seeder.services import manifest_selection, structured_log
from seeder.services.retry import retry_transient
from seeder.services.snapshots.parallel_column_count import CaptureOptions, ProgressCallback
from seeder.services.snapshots.snapshot_store import insert_snapshot, snapshot_from_row
from seeder.services.snapshots.view_profile import profile_view, require_columns
from seeder.texts import Text


def capture_release_snapshot(  # noqa: PLR0913  # the options of the command
    table_name: str,
    release_tag: str,
    *,
    release_version: str | None = None,
    top_values_columns: Sequence[str] = (),
    approximate: bool = False,
    on_progress: ProgressCallback = lambda *_: None,
) -> Snapshot:
    """Capture the current content of one view under a release tag.

    `on_progress` is called with the number of counted columns and the total, in any thread.

    Raises `BadName`, `BadTag`, `RequestError`, `SnapshotError`, `ConfigurationError` or `DatabaseError`.
    An error of PostgreSQL is raised as `CaptureFailed`.
    """
    release, settings = Release(tag=release_tag, version=release_version), conf.load()
    key = _resolve_view(ViewName.parse(table_name), settings)
    options = CaptureOptions(
        settings=settings,
        release=release,
        top_values_columns=frozenset(top_values_columns),
        approximate=approximate,
        connections=settings.snapshot_connections,
        on_progress=on_progress,
    )
    return capture(key, options)


def list_release_snapshots_by_table(table_name: str, limit: int = 50) -> list[Snapshot]:
    """The snapshots of one view, the latest first. Raises `BadName` or `DatabaseError`."""
    with translate_database_errors(DEFAULT_DB_ALIAS):
        rows = ReleaseSnapshot.objects.filter(table_name=str(ViewName.parse(table_name)))
        return [snapshot_from_row(row) for row in rows.order_by("-captured_at", "-id")[: max(limit, 0)]]


def compare_release_snapshots_by_id(
    base_snapshot_id: int, compare_snapshot_id: int, *, across_views: bool = False
) -> SnapshotComparison:
    """Compare two snapshots by the drift rules of the settings.

    Raises `UnknownSnapshot`, `ConfigurationError` or `DatabaseError`, and `DifferentViews` unless `across_views`.
    """
    base, other = find_snapshot(base_snapshot_id), find_snapshot(compare_snapshot_id)
    return compare_snapshots(base, other, across_views=across_views)


def compare_snapshots(base: Snapshot, other: Snapshot, *, across_views: bool = False) -> SnapshotComparison:
    """Compare two loaded snapshots. Raises `DifferentViews` unless `across_views`, or `ConfigurationError`."""
    if base.table_name != other.table_name and not across_views:
        raise DifferentViews(base=base.id, base_view=base.table_name, other=other.id, other_view=other.table_name)
    return snapshot_drift.compare_snapshots(base, other, with_defaults(conf.load().drift_rules))


def find_snapshot(snapshot_id: int) -> Snapshot:
    """The snapshot with this id. Raises `UnknownSnapshot` or `DatabaseError`."""
    return _find(Text("with the id {id}", id=snapshot_id), pk=snapshot_id)


def find_by_tag(table_name: str, release_tag: str) -> Snapshot:
    """Return the snapshot of a view at a tag.

    Raises `BadName`, `BadTag`, `UnknownSnapshot` or `DatabaseError`.
    """
    release, name = Release(tag=release_tag), str(ViewName.parse(table_name))
    identity = Text("of {view} at {tag!r}", view=name, tag=release.tag)
    return _find(identity, table_name=name, release_tag=release.tag)


def _find(identity: str, **columns: object) -> Snapshot:
    with translate_database_errors(DEFAULT_DB_ALIAS):
        row = ReleaseSnapshot.objects.filter(**columns).first()
    if row is None:
        raise UnknownSnapshot(identity=identity)
    return snapshot_from_row(row)


def _resolve_view(name: ViewName, settings: conf.Settings) -> ViewKey:
    """The key of the only view with this name.

    Raises `RequestError`, `AmbiguousView`, `CaptureFailed` or `NothingToCapture`.
    """
    selection = manifest_selection.select(SingleView(name=name), databases=settings.databases)
    if selection.rejected and not selection.views:
        raise CaptureFailed(view=name, cause=selection.rejected[0].message)
    return require_one_view(name, [spec.key for spec in selection.views])


def require_one_view(name: ViewName, keys: Sequence[ViewKey]) -> ViewKey:
    """The only view of this name. Raises `AmbiguousView` or `NothingToCapture`."""
    if not keys:
        raise NothingToCapture(request=str(SingleView(name=name)))
    if len(keys) > 1:
        raise AmbiguousView(name=name, aliases=" and ".join(sorted(key.database for key in keys)))
    return keys[0]


def capture(key: ViewKey, options: CaptureOptions) -> Snapshot:
    """Capture and store one snapshot. Raises the same errors as `capture_release_snapshot`."""

    def attempt(_: int) -> Snapshot:
        with options.in_flight.track(key.database):
            return profile_view(key, options)

    _require_new(key, options.release)
    with translate_database_errors(key.database):
        try:
            retries, stop = options.settings.max_retries, options.stop
            profile = retry_transient(attempt, retries=retries, stop=stop, database=key.database)
        except Error as error:
            if is_connection_lost(error):
                raise
            raise CaptureFailed(view=key.name, cause=first_line(error)) from error
    options.raise_if_stopped(key.name)
    snapshot = insert_snapshot(profile)
    structured_log.log_event(
        structured_log.INFO,
        "snapshot_captured",
        view=snapshot.table_name,
        database=key.database,
        release_tag=snapshot.release.tag,
        rows=snapshot.statistics.row_count,
        columns=len(snapshot.columns),
        exact=snapshot.statistics.exact,
    )
    return snapshot


def validate_capture(name: ViewName, release: Release, top_values_columns: Sequence[str] = ()) -> None:
    """Raise the errors that a capture would raise before it counts anything.

    Reads the view's columns only if `top_values_columns` are given.
    """
    key = _resolve_view(name, conf.load())
    _require_new(key, release)
    if not top_values_columns:
        return
    with translate_database_errors(key.database):
        if catalog.relation_state(key.database, key.name) is None:
            raise ViewMissing(view=key.name, alias=key.database)
        require_columns(
            key.name, top_values_columns, [column for _, column, *_ in catalog.columns(key.database, [key.name])]
        )


def _require_new(key: ViewKey, release: Release) -> None:
    """Raise `SnapshotTaken` before the view is counted, which can take an hour."""
    with translate_database_errors(DEFAULT_DB_ALIAS):
        if ReleaseSnapshot.objects.filter(table_name=str(key.name), release_tag=release.tag).exists():
            raise SnapshotTaken(view=key.name, tag=release.tag)
