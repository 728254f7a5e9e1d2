"""What a queue may call by name: plain values in, one service call, a small dictionary out.

Every task is told what it is about; none takes silence for everything. Being delivered twice does nothing twice.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from seeder.errors import BadTask, SnapshotTaken
from seeder.services import release_snapshots


def capture_release_snapshot(
    table_name: str,
    release_tag: str,
    *,
    release_version: str | None = None,
    top_values_columns: Sequence[str] = (),
    approximate: bool = False,
) -> Mapping[str, Any]:
    """Record one view under a release tag: `{"id": 7, "captured": True}`, or with False the id of the snapshot that
    was there already. Raises as the service does, or `BadTask`."""
    _insist("table_name", table_name, str)
    _insist("release_tag", release_tag, str)
    _insist("release_version", release_version, str, type(None))
    _insist("top_values_columns", top_values_columns, list, tuple)
    for name in top_values_columns:
        _insist("top_values_columns", name, str)
    _insist("approximate", approximate, bool)
    try:
        snapshot = release_snapshots.capture_release_snapshot(
            table_name,
            release_tag,
            release_version=release_version,
            top_values_columns=top_values_columns,
            approximate=approximate,
        )
    except SnapshotTaken:
        return {"id": release_snapshots.find_by_tag(table_name, release_tag).id, "captured": False}
    return {"id": snapshot.id, "captured": True}


def _insist(argument: str, value: object, *types: type) -> None:
    if not isinstance(value, types):
        raise BadTask(argument=argument, value=value, wanted=" or ".join(one.__name__ for one in types))
