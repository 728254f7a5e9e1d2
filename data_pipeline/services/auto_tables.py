"""Chooses the dialect and the table for `--table auto`.

A missing table is created.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from data_pipeline import conf
from data_pipeline.domain import auto_tables
from data_pipeline.domain.dialects import Dialect
from data_pipeline.errors import TableNotTracked
from data_pipeline.postgres import schema_changes, target_tables
from data_pipeline.services.dialect_choice import fitting_dialect
from data_pipeline.services.file_reading import CSV, FileReading, dialect_named
from data_pipeline.services.load_options import AUTO
from data_pipeline.services.load_planning import find_table
from data_pipeline.services.record_reading import header_names
from seeder.domain.view_names import ViewName
from seeder.texts import Text

SAMPLE_RECORDS = 10_000  # inferring types takes 10 seconds per million records


@dataclass(frozen=True, kw_only=True, slots=True)
class AutoTable:
    """The dialect of a file, with a target."""

    dialect: Dialect
    is_named_after_file: bool  # the dialect itself has no target


def choose_table(file: FileReading, given: Dialect | None, settings: conf.Settings) -> AutoTable:
    """Return the dialect of a file, with its table.

    It is the given dialect, otherwise the known one that fits the header. Without a target, the table is named after
    the file, in `INGEST_SCHEMA`. Raises `EmptyArtefact`, `AmbiguousHeader` or `HeaderRefused`.
    """
    header, file_name = file.header(), file.address.name
    dialect = file.as_read(given) if given else fitting_dialect(header, file, settings)
    if dialect.target is not None:
        return AutoTable(dialect=dialect, is_named_after_file=False)
    target = str(ViewName(schema=settings.ingest_schema, name=auto_tables.table_name(file_name)))
    names = header_names(header, dialect)
    with_columns = auto_tables.with_header(dialect, names, target=target, artefact=file_name)
    return AutoTable(dialect=with_columns, is_named_after_file=True)


def create_missing(
    database: str, file: FileReading, table: AutoTable, *, load_id: int, settings: conf.Settings
) -> None:
    """Create the table of a file, if it does not exist.

    Its types are those of the dialect, otherwise of the first records. Raises `TableNotTracked` if a table is named
    after the file, but was not created for one: it may be another one.
    """
    dialect, file_name = table.dialect, file.address.name
    name = find_table(database, dialect.target or "", settings)
    if schema_changes.lock_name(database, name):
        if table.is_named_after_file and not target_tables.describe(database, name).is_tracked:
            raise TableNotTracked(table=str(name), file=file_name)
        return
    names, records = file.sample(SAMPLE_RECORDS)
    columns = auto_tables.new_columns(dialect, names, records, artefact=file_name)
    schema_changes.create_table(database, name, columns, key=dialect.key, load_id=load_id, artefact=file_name)


def dialect_of_load(meta: Mapping[str, Any], names: Sequence[str], settings: conf.Settings) -> Dialect:
    """Return the dialect with which a load has read its file.

    `names` are those in the header of the file.
    """
    options = meta.get("options") or {}
    found = meta.get("dialect")
    dialect = dialect_named(options.get("dialect") or (None if found in {AUTO, CSV} else found), settings)
    if dialect.target is not None or options.get("table", AUTO) != AUTO:
        return dialect
    return auto_tables.with_header(
        dialect, names, target=meta["target_table"], artefact=Text.in_context("header", "the file")
    )
