"""Plans a load: matches the file with its table."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from data_pipeline import conf
from data_pipeline.artefact_errors import EmptyArtefact
from data_pipeline.domain.csv_fields import CsvFormat
from data_pipeline.domain.dialects import Dialect, Mode, Pii
from data_pipeline.domain.masking import RejectMasking
from data_pipeline.domain.rejects import RejectLimits
from data_pipeline.errors import KeyMissing, KeyNotInFile, PiiKeyMissing, TableHasChildren
from data_pipeline.postgres import target_tables
from data_pipeline.postgres.lookup_columns import LookupColumn
from data_pipeline.postgres.normalized_texts import Normalizing, require_utf8
from data_pipeline.postgres.staging_tables import FileColumn
from data_pipeline.postgres.target_tables import TargetTable
from data_pipeline.services.column_matching import MatchedColumns, lookup_columns, match_columns
from data_pipeline.services.load_options import AUTO, LoadOptions
from data_pipeline.services.record_reading import read_header
from data_pipeline.services.references import read_pairs
from data_pipeline.storage.addresses import Address
from seeder.domain.view_names import ViewName


@dataclass(frozen=True, kw_only=True, slots=True)
class LoadPlan:
    """The table, columns, mode, key and limits of one load."""

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
        rescued = self.normalizing.rescued if self.normalizing else ()
        declared = {
            **{one.position: one.declared for one in self.columns},
            **{one.position: one.declared for one in rescued if one.declared},
        }
        names = {position: column.name for position, column in declared.items()}
        return RejectMasking(
            columns=[names.get(position) for position in range(self.file_columns)],
            pii={column.name: column.pii for column in declared.values() if column.pii},
            delimiter=csv_format.delimiter,
            quote=csv_format.quote,
            hash_key=self.normalizing.hash_key if self.normalizing else b"",
        )


def find_table(database: str, name: str, settings: conf.Settings) -> ViewName:
    """Return a table with its schema: that of the search path if the table is there, otherwise `INGEST_SCHEMA`."""
    return target_tables.find_table(database, name, default_schema=settings.ingest_schema)


def plan_load(  # noqa: PLR0913  # facts of one load
    database: str,
    header: bytes,
    *,
    address: Address,
    dialect: Dialect,
    options: LoadOptions,
    settings: conf.Settings,
    load_id: int | None = None,
) -> LoadPlan:
    """Plan the load of a file with this header.

    If the dialect says so, the table gets new columns for the load with this id.

    Raises `EmptyArtefact`, `HeaderRefused`, `TargetError`, `PiiKeyMissing` or `NormalizingNeedsUtf8`.
    """
    if not header:
        raise EmptyArtefact(path=address.path)
    table = dialect.target or "" if options.table == AUTO else options.table
    target = target_tables.describe(database, find_table(database, table, settings))
    names = read_header(header, dialect, artefact=address.name, table=table)
    matched = match_columns(database, names, target, dialect, artefact=address.name, load_id=load_id)
    read = partial(read_pairs, settings=settings)
    lookups = lookup_columns(matched, dialect, artefact=address.name, read_pairs=read) if dialect.lookups else []
    columns = [*matched.columns, *(one.column for one in lookups)]
    mode = options.mode or dialect.mode or Mode.APPEND
    if target.child is not None and mode is not Mode.APPEND:
        raise TableHasChildren(table=str(target.name), mode=mode.value, child=target.child)
    return LoadPlan(
        target=matched.target,
        columns=columns,
        names=names,
        mode=mode,
        key=_key_columns(target, dialect, mode, [one.target.name for one in columns]),
        limits=_limits(options, settings),
        keeps_old_rows=settings.undo_days > 0,
        normalizing=_normalizing(database, dialect, matched, lookups, settings),
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
    database: str,
    dialect: Dialect,
    matched: MatchedColumns,
    lookups: Sequence[LookupColumn],
    settings: conf.Settings,
) -> Normalizing | None:
    """Return what changes the values of these columns, or None."""
    declared = [*(one.declared for one in matched.columns), *(one.declared for one in matched.rescued if one.declared)]
    is_of_columns = any(column.needs_normalizing for column in declared)
    if not (is_of_columns or matched.rescued or dialect.null_words or lookups):
        return None
    require_utf8(database)
    hash_key = settings.pii_hash_key.encode()
    if not hash_key and any(column.pii is Pii.HASH for column in declared):
        raise PiiKeyMissing
    return Normalizing(
        null_words=dialect.null_words,
        is_of_columns=is_of_columns,
        rescued=matched.rescued,
        lookups=lookups,
        hash_key=hash_key,
    )


def _limits(options: LoadOptions, settings: conf.Settings) -> RejectLimits:
    """Return the limits of the options, otherwise those of the settings. A share replaces the number 0."""
    number, ratio = options.max_rejects, options.max_reject_ratio
    if number is None and ratio is None:
        number, ratio = settings.max_rejects, settings.max_reject_ratio
        if ratio is not None and number == 0:
            number = None
    return RejectLimits(max_rejects=number, max_ratio=ratio)
