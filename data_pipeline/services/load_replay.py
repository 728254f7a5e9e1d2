"""Replays a load: loads its file again."""

from django.db import DEFAULT_DB_ALIAS

from data_pipeline.domain.load_status import LoadStatus
from data_pipeline.services.chunk_loader import ProgressListener
from data_pipeline.services.load_file import load_with_options
from data_pipeline.services.load_lookup import find_file_load, given_options
from data_pipeline.services.load_options import Loaded, LoadOptions


def replay_load(
    load_id: int, *, using: str = DEFAULT_DB_ALIAS, on_progress: ProgressListener = lambda _: None
) -> Loaded:
    """Load the file of a load again, with the same options.

    A load whose rows are in the table is repeated as a new, forced one. A failed or undone load is attempted again: if
    the file has changed since, as a new one. Raises `UnknownLoad`, `NotFileLoad`, and what `load_file` raises.
    """
    source_uri, options = replay_options(load_id, using=using)
    return load_with_options(source_uri, options, using=using, on_progress=on_progress)


def replay_options(load_id: int, *, using: str = DEFAULT_DB_ALIAS) -> tuple[str, LoadOptions]:
    """Return the address and the options with which a load is replayed. Raises `UnknownLoad` or `NotFileLoad`."""
    load = find_file_load(load_id, using=using)
    is_in_table = load.status in {LoadStatus.SUCCESS, LoadStatus.SKIPPED}
    options = LoadOptions.from_given({**given_options(load), "force": is_in_table, "of_load": load_id})
    return load.payload_meta["source_uri"], options
