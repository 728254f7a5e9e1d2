"""Matches a file with its table, before anything is loaded."""

from collections.abc import Sequence
from dataclasses import dataclass

from data_pipeline import conf
from data_pipeline.domain.dialects import Dialect, Mode
from data_pipeline.domain.headers import match_header
from data_pipeline.domain.records import CsvFormat, parse_fields
from data_pipeline.domain.rejects import RejectLimits
from data_pipeline.errors import EmptyArtefact, KeyMissing, KeyNotInFile, TableNotNamed
from data_pipeline.postgres import target_tables
from data_pipeline.postgres.record_tables import FileColumn
from data_pipeline.postgres.target_tables import TargetTable
from data_pipeline.services.load_values import LoadOptions
from data_pipeline.storage.addresses import LocalAddress
from seeder.domain.view_names import ViewName


@dataclass(frozen=True, kw_only=True, slots=True)
class LoadPlan:
    """Where the columns of a file go, and how."""

    target: TargetTable
    columns: Sequence[FileColumn]
    file_columns: int
    mode: Mode
    key: Sequence[str]  # columns that identify a row; empty for the modes append and replace
    limits: RejectLimits
    keeps_old_rows: bool  # so that the load can be undone


def plan_load(  # noqa: PLR0913  # facts of one load
    database: str,
    header: bytes,
    *,
    address: LocalAddress,
    dialect: Dialect,
    options: LoadOptions,
    settings: conf.Settings,
) -> LoadPlan:
    """Plan the load of a file with this header. Raises `HeaderRefused`, `TargetError` or `EmptyArtefact`."""
    if not header:
        raise EmptyArtefact(path=address.path)
    table = options.table if options.table != "auto" else dialect.target
    if table is None:
        raise TableNotNamed(path=address.path)
    names = _names(header, dialect)
    target = target_tables.describe(database, ViewName.parse(table))
    match = match_header(
        names,
        dialect=dialect,
        table_columns=[column.name for column in target.data_columns],
        required=[column.name for column in target.data_columns if not column.can_be_omitted],
        artefact=address.path.name,
    )
    columns = [
        FileColumn(position=position, target=target.column(name))
        for position, name in enumerate(match.targets)
        if name is not None
    ]
    mode = options.mode or dialect.mode or Mode.APPEND
    return LoadPlan(
        target=target,
        columns=columns,
        file_columns=len(names),
        mode=mode,
        key=_key_columns(target, dialect, mode, [one.target.name for one in columns]),
        limits=_limits(options, settings),
        keeps_old_rows=settings.undo_days > 0,
    )


def _names(header: bytes, dialect: Dialect) -> Sequence[str]:
    csv_format = CsvFormat(delimiter=dialect.delimiter.encode(), quote=dialect.quote.encode())
    return [name or "" for name in parse_fields(header, csv_format)]


def _key_columns(target: TargetTable, dialect: Dialect, mode: Mode, loaded: Sequence[str]) -> Sequence[str]:
    if mode not in {Mode.UPSERT, Mode.SNAPSHOT}:
        return []
    key = dialect.key or target.primary_key
    if not key:
        raise KeyMissing(table=str(target.name), mode=mode.value)
    for column in key:
        if column not in loaded:
            raise KeyNotInFile(table=str(target.name), mode=mode.value, column=column)
    return key


def _limits(options: LoadOptions, settings: conf.Settings) -> RejectLimits:
    """Return the limits of the options, otherwise those of the settings. A share replaces the number 0."""
    number, ratio = options.max_rejects, options.max_reject_ratio
    if number is None and ratio is None:
        number, ratio = settings.max_rejects, settings.max_reject_ratio
        if ratio is not None and number == 0:
            number = None
    return RejectLimits(max_rejects=number, max_ratio=ratio)
