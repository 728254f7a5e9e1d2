"""Finds loads by id, and reads their metadata."""

from collections.abc import Sequence
from typing import Any

from data_pipeline.correction_errors import ColumnsUnknown, NotFileLoad
from data_pipeline.domain.csv_fields import CsvFormat
from data_pipeline.errors import UnknownLoad
from data_pipeline.models import LoadLog
from data_pipeline.postgres.error_translation import translate_errors
from data_pipeline.services.file_loader import SOURCE


def find_file_load(load_id: int, *, using: str) -> LoadLog:
    """Return the load of a file. Raises `UnknownLoad` or `NotFileLoad`."""
    load = find_load_by_id(load_id, using=using)
    if load.source != SOURCE or not isinstance(load.payload_meta.get("source_uri"), str):
        raise NotFileLoad(load_id=load_id, source=load.source)
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


def file_columns(load: LoadLog) -> Sequence[str]:
    """Return the names in the header of the loaded file. Raises `ColumnsUnknown`."""
    columns = load.payload_meta.get("columns")
    if not columns:
        raise ColumnsUnknown(load_id=load.pk)
    return list(columns)


def csv_format_of(load: LoadLog) -> CsvFormat:
    """Return the format in which the rejects of a load are kept."""
    meta = load.payload_meta
    return CsvFormat(delimiter=meta.get("delimiter", ",").encode(), quote=meta.get("quote", '"').encode())
