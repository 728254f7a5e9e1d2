"""Repeats the load of a file."""

from typing import Any

from django.db import DEFAULT_DB_ALIAS

from data_pipeline.correction_errors import NotRepeatable
from data_pipeline.domain.load_status import LoadStatus
from data_pipeline.errors import UnknownLoad
from data_pipeline.models import LoadLog
from data_pipeline.postgres.error_translation import translate_errors
from data_pipeline.services.chunk_loader import ProgressListener
from data_pipeline.services.file_loader import SOURCE
from data_pipeline.services.load_file import load_file
from data_pipeline.services.load_values import Loaded


def replay_load(
    load_id: int, *, using: str = DEFAULT_DB_ALIAS, on_progress: ProgressListener = lambda _: None
) -> Loaded:
    """Load the file of a load again, with the same options.

    A load whose rows are in the table is repeated as a new, forced one. A failed or undone load is attempted again: if
    the file has changed since, as a new one. Raises `UnknownLoad`, `NotRepeatable`, and what `load_file` raises.
    """
    load = file_load(load_id, using=using)
    is_in_table = load.status in {LoadStatus.SUCCESS, LoadStatus.SKIPPED}
    return load_file(
        load.payload_meta["source_uri"],
        **given_options(load),
        force=is_in_table,
        of_load=load_id,
        using=using,
        on_progress=on_progress,
    )


def file_load(load_id: int, *, using: str) -> LoadLog:
    """Return the load of a file. Raises `UnknownLoad` or `NotRepeatable`."""
    load = find_load_by_id(load_id, using=using)
    if load.source != SOURCE or not isinstance(load.payload_meta.get("source_uri"), str):
        raise NotRepeatable(load_id=load_id, source=load.source)
    return load


def find_load_by_id(load_id: int, *, using: str) -> LoadLog:
    """Return a load of any source. Raises `UnknownLoad`."""
    with translate_errors(using):
        load = LoadLog.objects.using(using).filter(pk=load_id).first()
    if load is None:
        raise UnknownLoad(load_id=load_id)
    return load


def given_options(load: LoadLog) -> dict[str, Any]:
    """Return the options of `load_file` with which a load was begun."""
    return dict(load.payload_meta.get("options") or {})
