"""Matches a file with its table, before anything is loaded."""

from collections.abc import Sequence
from dataclasses import dataclass

from data_pipeline import conf
from data_pipeline.domain.dialects import Column, Dialect, Mode, Pii
from data_pipeline.domain.fields import CsvFormat
from data_pipeline.domain.headers import match_header
from data_pipeline.domain.masking import RejectMasking
from data_pipeline.domain.rejects import RejectLimits
from data_pipeline.errors import EmptyArtefact, KeyMissing, KeyNotInFile, PiiKeyMissing
from data_pipeline.postgres import target_tables
from data_pipeline.postgres.normalized_texts import Normalizing, require_utf8
from data_pipeline.postgres.record_tables import FileColumn
from data_pipeline.postgres.target_tables import TargetTable
from data_pipeline.services.load_values import AUTO, LoadOptions
from data_pipeline.services.record_reading import read_header
from data_pipeline.storage.addresses import LocalAddress
from seeder.domain.view_names import ViewName


@dataclass(frozen=True, kw_only=True, slots=True)
class LoadPlan:
    """Where the columns of a file go, and how."""

    target: TargetTable
    columns: Sequence[FileColumn]
    names: Sequence[str]  # in the header
    mode: Mode
    key: Sequence[str]  # columns that identify a row; empty for the modes append and replace
    limits: RejectLimits
    keeps_old_rows: bool  # so that the load can be undone
    normalizing: Normalizing | None  # None if PostgreSQL reads the values as they are

    @property
    def file_columns(self) -> int:
        return len(self.names)

    def masking(self, csv_format: CsvFormat) -> RejectMasking:
        """Return what hides the personal values of rejected records."""
        names = {one.position: one.target.name for one in self.columns}
        return RejectMasking(
            columns=[names.get(position) for position in range(self.file_columns)],
            pii={one.target.name: one.declared.pii for one in self.columns if one.declared.pii},
            delimiter=csv_format.delimiter,
            quote=csv_format.quote,
            hash_key=self.normalizing.hash_key if self.normalizing else b"",
        )


def plan_load(  # noqa: PLR0913  # facts of one load
    database: str,
    header: bytes,
    *,
    address: LocalAddress,
    dialect: Dialect,
    options: LoadOptions,
    settings: conf.Settings,
) -> LoadPlan:
    """Plan the load of a file with this header.

    Raises `EmptyArtefact`, `HeaderRefused`, `TargetError`, `PiiKeyMissing` or `NormalizingNeedsUtf8`.
    """
    if not header:
        raise EmptyArtefact(path=address.path)
    table = dialect.target or "" if options.table == AUTO else options.table
    target = target_tables.describe(database, ViewName.parse(table))
    names = read_header(header, dialect, artefact=address.path.name, table=table)
    match = match_header(
        names,
        dialect=dialect,
        table_columns=[column.name for column in target.data_columns],
        required=[column.name for column in target.data_columns if not column.can_be_omitted],
        artefact=address.path.name,
    )
    columns = [
        FileColumn(
            position=position,
            target=target.column(name),
            declared=dialect.find_column(name) or Column(name=name),
        )
        for position, name in enumerate(match.targets)
        if name is not None
    ]
    mode = options.mode or dialect.mode or Mode.APPEND
    return LoadPlan(
        target=target,
        columns=columns,
        names=names,
        mode=mode,
        key=_key_columns(target, dialect, mode, [one.target.name for one in columns]),
        limits=_limits(options, settings),
        keeps_old_rows=settings.undo_days > 0,
        normalizing=_normalizing(database, dialect, columns, settings),
    )


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


def _normalizing(
    database: str, dialect: Dialect, columns: Sequence[FileColumn], settings: conf.Settings
) -> Normalizing | None:
    """Return what changes the values of these columns, or None."""
    is_of_columns = any(column.declared.needs_normalizing for column in columns)
    if not is_of_columns and not dialect.null_words:
        return None
    require_utf8(database)
    hash_key = settings.pii_hash_key.encode()
    if not hash_key and any(column.declared.pii is Pii.HASH for column in columns):
        raise PiiKeyMissing
    return Normalizing(null_words=dialect.null_words, is_of_columns=is_of_columns, hash_key=hash_key)


def _limits(options: LoadOptions, settings: conf.Settings) -> RejectLimits:
    """Return the limits of the options, otherwise those of the settings. A share replaces the number 0."""
    number, ratio = options.max_rejects, options.max_reject_ratio
    if number is None and ratio is None:
        number, ratio = settings.max_rejects, settings.max_reject_ratio
        if ratio is not None and number == 0:
            number = None
    return RejectLimits(max_rejects=number, max_ratio=ratio)
