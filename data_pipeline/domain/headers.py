"""Matches the header of a file with the columns of a table."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from data_pipeline.dialect_errors import AmbiguousHeader
from data_pipeline.domain.case_folding import fold, trim
from data_pipeline.domain.dialect_values import is_identifier
from data_pipeline.domain.dialects import Dialect, Surplus
from data_pipeline.errors import HeaderRefused
from seeder.domain.suggestions import nearest
from seeder.texts import Text

# `load_id` is the column of the load, and the others are PostgreSQL's own in every table.
RESERVED_NAMES: Final = {"load_id", "tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"}


@dataclass(frozen=True, kw_only=True, slots=True)
class HeaderMatch:
    """Where the values of each column of a file go."""

    targets: Sequence[str | None]  # columns of the table by position in the file; None for a rescued column
    added: Sequence[str]  # new columns of the table, in the order of the file
    rescued: Sequence[str]  # columns of the file that the table does not get, as spelled there
    missing: Sequence[str]  # columns of the table that the file does not have, in the order of the table


def match_header(
    names: Sequence[str],
    *,
    dialect: Dialect,
    table_columns: Sequence[str],
    required: Collection[str],
    artefact: str = Text.in_context("header", "the file"),
) -> HeaderMatch:
    """Match the names of a header with the columns of a table.

    The order does not matter. A name is compared exactly, then without spaces at the ends and case, then as an alias of
    the dialect. `required` are columns that need a value, besides those that the dialect requires.

    Raises `HeaderRefused` with all problems of the header.
    """
    targets = find_targets(names, dialect=dialect, table_columns=table_columns)
    declared = find_declared(names, targets, dialect=dialect)
    added = _new_names(names, targets, declared) if dialect.surplus is Surplus.ADD else {}
    matched = [targets[at] or added.get(at) for at in range(len(names))]
    missing = [column for column in table_columns if column not in targets]
    needed = {*required, *(column.name for column in dialect.columns if column.required)}
    not_given = [*missing, *sorted(needed - {*table_columns} - {*declared})]
    problems = [
        *_unnamed(names),
        *_duplicates(names, declared),
        *(_unknown(names, targets, missing or table_columns) if dialect.surplus is Surplus.REFUSE else ()),
        *(Text("{name!r} cannot be a column's name", name=name) for name in added.values() if not _can_be_added(name)),
        *(Text("missing column {column!r}", column=column) for column in not_given if column in needed),
    ]
    if problems:
        raise HeaderRefused(
            artefact=artefact,
            table=dialect.target or Text.in_context("header", "the table"),
            problem=Text.joined(problems, "; "),
        )
    return HeaderMatch(
        targets=matched,
        added=list(added.values()),
        rescued=[name for name, column in zip(names, matched, strict=True) if column is None],
        missing=missing,
    )


def auto_dialect(names: Callable[[Dialect], Sequence[str]], dialects: Iterable[Dialect]) -> Dialect | None:
    """Return the dialect that fits a header best, or None.

    A dialect fits if the header has all of its required columns. The one with most matched columns is the best. `names`
    returns the names in the header, as a dialect separates them.

    Raises `AmbiguousHeader` if several fit equally well.
    """
    scores = {dialect.name: (dialect, _score(names(dialect), dialect)) for dialect in dialects}
    best = max((score for _, score in scores.values()), default=0)
    if best == 0:
        return None
    fitting = [dialect for dialect, score in scores.values() if score == best]
    if len(fitting) > 1:
        raise AmbiguousHeader(dialects=" and ".join(sorted(dialect.name for dialect in fitting)))
    return fitting[0]


def _score(names: Sequence[str], dialect: Dialect) -> int:
    """Return the number of matched columns, or 0 without a fit."""
    found = set(find_targets(names, dialect=dialect, table_columns=[column.name for column in dialect.columns]))
    required = {column.name for column in dialect.columns if column.required}
    return len(found - {None}) if required and required <= found else 0


def find_targets(names: Sequence[str], *, dialect: Dialect, table_columns: Sequence[str]) -> list[str | None]:
    """Return the table's column for each name of a header, or None."""
    exact = {column: column for column in table_columns}
    by_case = _unique_by_fold((column, column) for column in table_columns)
    aliases = _unique_by_fold(
        (alias, column.name) for column in dialect.columns if column.name in exact for alias in column.aliases
    )
    return [exact.get(name) or by_case.get(fold(name)) or aliases.get(fold(name)) for name in names]


def _unique_by_fold(spellings: Iterable[tuple[str, str]]) -> Mapping[str, str]:
    """Return columns by folded spelling, without spellings that fit several columns."""
    pairs = {(fold(spelling), column) for spelling, column in spellings}
    counts = Counter(spelling for spelling, _ in pairs)
    return {spelling: column for spelling, column in pairs if counts[spelling] == 1}


def find_declared(names: Sequence[str], targets: Sequence[str | None], *, dialect: Dialect) -> list[str | None]:
    """Return the targets, and declared columns that the table does not have."""
    columns = [column.name for column in dialect.columns]
    found = find_targets(names, dialect=dialect, table_columns=columns)
    return [target or column for target, column in zip(targets, found, strict=True)]


def _new_names(names: Sequence[str], targets: Sequence[str | None], declared: Sequence[str | None]) -> dict[int, str]:
    """Return the names of new columns by position. One of the dialect keeps its name."""
    return {at: declared[at] or trim(name) for at, name in enumerate(names) if targets[at] is None and trim(name)}


def _can_be_added(name: str) -> bool:
    return is_identifier(name) and name not in RESERVED_NAMES


def _unnamed(names: Sequence[str]) -> list[str]:
    positions = [str(at) for at, name in enumerate(names, start=1) if not trim(name)]
    if not names:
        return [Text("it is empty")]
    return [Text("column {positions} has no name", positions=", ".join(positions))] if positions else []


def _duplicates(names: Sequence[str], targets: Sequence[str | None]) -> list[str]:
    spellings: dict[tuple[str | None, str], list[str]] = {}
    for name, column in zip(names, targets, strict=True):
        if trim(name):
            spellings.setdefault((column, "" if column else fold(name)), []).append(name)
    return [
        Text("{names} are the same column", names=" and ".join(map(repr, given)))
        for given in spellings.values()
        if len(given) > 1
    ]


def _unknown(names: Sequence[str], targets: Sequence[str | None], columns: Sequence[str]) -> list[str]:
    unknown = [name for name, column in zip(names, targets, strict=True) if column is None and trim(name)]
    return [_unknown_text(name, nearest(name, columns)) for name in unknown]


def _unknown_text(name: str, suggestion: str | None) -> Text:
    if suggestion is None:
        return Text("unknown column {name!r}", name=name)
    return Text("unknown column {name!r} (the nearest is {suggestion!r})", name=name, suggestion=suggestion)
