"""Views to capture, and a check that a capture is refused."""

import pytest

from seeder.domain.snapshots.snapshot_contents import Snapshot
from seeder.domain.snapshots.snapshot_drift import SnapshotComparison
from seeder.models import ReleaseSnapshot
from seeder.services.snapshots.release_snapshots import (
    capture_release_snapshot,
    compare_release_snapshots_by_id,
)
from tests.conftest import create_custom_manifest, sql

QUERY = "SELECT n, n % 3 AS kind, 'word ' || n % 2 AS word FROM generate_series(1, 12) AS n"


def create_view_with_manifest(name: str = "a", query: str = QUERY, *, agency: str = "demo") -> str:
    """Create a view and its manifest. Return the view's name."""
    sql(f"CREATE MATERIALIZED VIEW reporting.{name} AS {query}")
    create_custom_manifest(f"reporting.{name}", query, agency=agency)
    return f"reporting.{name}"


def compare(base: Snapshot, other: Snapshot, **options: bool) -> SnapshotComparison:
    assert base.id
    assert other.id
    return compare_release_snapshots_by_id(base.id, other.id, **options)


def stored_count() -> int:
    return ReleaseSnapshot.objects.count()


def assert_capture_refused(error: type[Exception], table: str, tag: str = "v1", **options: object) -> str:
    """Assert that a capture is refused. Return the message."""
    count_before = stored_count()
    with pytest.raises(error) as refusal:
        capture_release_snapshot(table, tag, **options)  # type: ignore[arg-type]  # tests pass wrong options on purpose
    assert stored_count() == count_before
    assert "\n" not in str(refusal.value)
    return str(refusal.value)
