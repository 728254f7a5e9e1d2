"""The rows that a refresh changed: their numbers, and a sample with old and new values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import accumulate
from typing import Any, NamedTuple, Self

MAX_SAMPLE_ROWS = 100  # of each kind
MAX_VALUE_CHARACTERS = 200
_MAX_ROW_CHARACTERS = 4_000  # of all values of one row
_ELLIPSIS = "…"

Values = Mapping[str, str | None]


class RowChangeKind(StrEnum):
    """How a row changed, in the order of a sample."""

    UPDATED = "updated"
    INSERTED = "inserted"
    DELETED = "deleted"


@dataclass(frozen=True, kw_only=True, slots=True)
class ChangeRequest:
    """A request for a sample of the rows that the next refresh of a view changes."""

    id: int
    max_rows: int  # of each kind


class ColumnValues(NamedTuple):
    """One column of a row before and after a refresh."""

    name: str
    old: str | None
    new: str | None
    differs: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class ChangedRow:
    """One changed row. Values are texts as PostgreSQL prints them, possibly cut."""

    kind: RowChangeKind
    key: Values
    old: Values  # of an update, only what changed; otherwise all but the key; empty if inserted
    new: Values
    omitted: int = 0  # columns that are left out because the row is too long

    @classmethod
    def of(cls, kind: RowChangeKind, columns: Sequence[ColumnValues], key_columns: Sequence[str]) -> Self:
        """Return a row from the values of its columns."""
        key, shown = list[ColumnValues](), list[ColumnValues]()
        for one in columns:
            if one.name in key_columns:
                key.append(one)
            if one.differs if kind is RowChangeKind.UPDATED else one.name not in key_columns:
                shown.append(one)
        kept = shown[: _fitting(shown)]
        return cls(
            kind=kind,
            key={one.name: _cut(one.old if kind is RowChangeKind.DELETED else one.new) for one in key},
            old={} if kind is RowChangeKind.INSERTED else {one.name: _cut(one.old) for one in kept},
            new={} if kind is RowChangeKind.DELETED else {one.name: _cut(one.new) for one in kept},
            omitted=len(shown) - len(kept),
        )

    @property
    def values(self) -> Sequence[tuple[str, str | None, str | None]]:
        """Each shown column with its old and new value."""
        return [(name, self.old.get(name), self.new.get(name)) for name in self.new or self.old]

    @classmethod
    def from_stored(cls, stored: Mapping[str, Any]) -> Self:
        """Read what `as_stored` wrote."""
        values = {name: dict(stored[name]) for name in ("key", "old", "new")}
        return cls(kind=RowChangeKind(stored["kind"]), omitted=stored["omitted"], **values)

    def as_stored(self) -> Mapping[str, Any]:
        """Return the row as JSON. Lists keep the order of columns, which PostgreSQL does not keep in objects."""
        values = {"key": self.key, "old": self.old, "new": self.new}
        pairs = {name: [*map(list, one.items())] for name, one in values.items()}
        return {"kind": self.kind, **pairs, "omitted": self.omitted}


@dataclass(frozen=True, kw_only=True, slots=True)
class RowChanges:
    """What a refresh changed, by comparing the rows before and after it. Numbers are None if it was not possible."""

    inserted: int | None = None
    deleted: int | None = None
    updated: int | None = None
    rows: tuple[ChangedRow, ...] = ()
    note: str | None = None  # a sentence: why nothing could be compared, or what was left out


NOTHING_CHANGED = RowChanges(inserted=0, deleted=0, updated=0)


def not_compared(reason: str) -> RowChanges:
    """Return the changes if the rows were not compared. The reason is a sentence."""
    return RowChanges(note=reason)


def left_out_text(rows: int, key_columns: Sequence[str]) -> str | None:
    """Return a sentence about rows with nulls in the key, or None without any."""
    if not rows:
        return None
    verb = "has" if rows == 1 else "have"
    return f"Left out: {rows:,} of the new rows {verb} a null in the key ({', '.join(key_columns)})."


def _fitting(columns: Sequence[ColumnValues]) -> int:
    """Return how many of the first columns fit into a row."""
    lengths = accumulate(len(one.old or "") + len(one.new or "") for one in columns)
    return sum(length <= _MAX_ROW_CHARACTERS for length in lengths)


def _cut(text: str | None) -> str | None:
    if text is None or len(text) <= MAX_VALUE_CHARACTERS:
        return text
    return text[:MAX_VALUE_CHARACTERS] + _ELLIPSIS
