"""Matches the columns of a file with those of its table.

Surplus columns are refused, added to the table, or rescued. Lookups add columns.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from data_pipeline.domain.auto_tables import NewColumn
from data_pipeline.domain.dialects import Column, Dialect, Lookup, Surplus
from data_pipeline.domain.enrichments import Pair, find_lookup_problems
from data_pipeline.domain.headers import HeaderMatch, find_declared, match_header
from data_pipeline.errors import HeaderRefused, RescueColumnMissing
from data_pipeline.postgres import schema_changes, target_tables
from data_pipeline.postgres.lookup_columns import LookupColumn
from data_pipeline.postgres.normalized_texts import RescuedColumn
from data_pipeline.postgres.staging_tables import FileColumn
from data_pipeline.postgres.target_tables import TargetTable
from seeder.texts import Text


@dataclass(frozen=True, kw_only=True, slots=True)
class MatchedColumns:
    """The columns of a file in its table."""

    target: TargetTable  # with added columns
    columns: Sequence[FileColumn]  # the one of rescued values is behind those of the file
    rescued: Sequence[RescuedColumn]


def match_columns(  # noqa: PLR0913  # facts of one load
    database: str, names: Sequence[str], target: TargetTable, dialect: Dialect, *, artefact: str, load_id: int | None
) -> MatchedColumns:
    """Match the names of a header with the columns of a table.

    If the dialect says so, surplus columns are added to the table. Without the id of a load, no column is added.

    Raises `HeaderRefused`, `RescueColumnMissing`, `TableBusy` or `ColumnsNotAdded`.
    """
    if load_id is None and dialect.surplus is Surplus.ADD:
        dialect = replace(dialect, surplus=Surplus.REFUSE)
    known = [one for one in target.data_columns if not _is_rescue_column(one.name, dialect)]
    looked_up = [one.name for one in dialect.lookups]
    match = match_header(
        names,
        dialect=dialect,
        table_columns=[column.name for column in known],
        required=[column.name for column in known if not (column.can_be_omitted or column.name in looked_up)],
        artefact=artefact,
    )
    added = list(match.added)
    if dialect.surplus is Surplus.ADD:
        added += [name for name in looked_up if name not in {*added, *(one.name for one in target.all_columns)}]
    if added and load_id is not None:
        target = _with_added(database, target, dialect, added, artefact=artefact, load_id=load_id)
    columns = [
        FileColumn(
            position=position, target=target.column(name), declared=dialect.find_column(name) or Column(name=name)
        )
        for position, name in enumerate(match.targets)
        if name is not None
    ]
    rescued = _rescued(names, match, dialect)
    if rescued:
        columns.append(_rescue_column(target, dialect, match, position=len(names)))
    return MatchedColumns(target=target, columns=columns, rescued=rescued)


def _is_rescue_column(name: str, dialect: Dialect) -> bool:
    return dialect.surplus is Surplus.RESCUE and name == dialect.rescue_column


def _with_added(  # noqa: PLR0913  # facts of one load
    database: str, target: TargetTable, dialect: Dialect, added: Sequence[str], *, artefact: str, load_id: int
) -> TargetTable:
    """Add columns of the type that the dialect declares, otherwise text. Return the table with them."""
    columns = [
        NewColumn(name=name, type=(declared.type if (declared := dialect.find_column(name)) else None) or "text")
        for name in added
    ]
    schema_changes.add_columns(database, target, columns, load_id=load_id)
    changed = target_tables.describe(database, target.name)
    problems = [
        Text("{name!r} cannot be written", name=name)
        for name in added
        if name not in {one.name for one in changed.data_columns}
    ]
    if problems:  # the table computes a column of this name
        raise HeaderRefused(artefact=artefact, table=str(target.name), problem=Text.joined(problems, "; "))
    return changed


def _rescued(names: Sequence[str], match: HeaderMatch, dialect: Dialect) -> Sequence[RescuedColumn]:
    declared = find_declared(names, match.targets, dialect=dialect)
    return [
        RescuedColumn(position=position, heading=name, declared=dialect.find_column(declared[position] or ""))
        for position, name in enumerate(names)
        if match.targets[position] is None
    ]


def _rescue_column(target: TargetTable, dialect: Dialect, match: HeaderMatch, *, position: int) -> FileColumn:
    name = dialect.rescue_column
    found = next((one for one in target.data_columns if one.name == name and one.type == "jsonb"), None)
    if found is None:
        surplus = ", ".join(map(repr, match.rescued))
        raise RescueColumnMissing(table=str(target.name), column=name, surplus=surplus)
    return FileColumn(position=position, target=found, declared=Column(name=name))


def lookup_columns(
    matched: MatchedColumns, dialect: Dialect, *, artefact: str, read_pairs: Callable[[Lookup], Iterable[Pair]]
) -> Sequence[LookupColumn]:
    """Return the columns that lookups add.

    They stand behind those of the file and of rescued values. Raises `HeaderRefused`.
    """
    target, in_file = matched.target, [one.target.name for one in matched.columns]
    known = {one.name for one in target.data_columns}
    problems = [
        *find_lookup_problems(dialect.lookups, in_file),
        *(
            Text("the table has no column {name!r} for a lookup", name=one.name)
            for one in dialect.lookups
            if one.name not in known
        ),
    ]
    if problems:
        raise HeaderRefused(artefact=artefact, table=str(target.name), problem=Text.joined(problems, "; "))
    first = 1 + max(one.position for one in matched.columns)
    return [
        LookupColumn(
            lookup=one,
            column=FileColumn(position=position, target=target.column(one.name), declared=Column(name=one.name)),
            read_pairs=None if one.table else partial(read_pairs, one),
        )
        for position, one in enumerate(dialect.lookups, start=first)
    ]
