"""Removes the rows of a load, and restores the previous ones."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, NamedTuple

from psycopg import sql

from data_pipeline.postgres.dependent_rows import find_dependents
from data_pipeline.postgres.json_values import jsonb
from data_pipeline.postgres.load_transactions import lock_against_writers
from data_pipeline.postgres.row_serialization import same_values, value_of
from data_pipeline.postgres.row_versions import is_written_by, writers_of
from data_pipeline.postgres.statements import STATEMENTS
from data_pipeline.postgres.target_tables import LOAD_ID_COLUMN, TargetColumn, TargetTable
from seeder.postgres import sessions

_CHANGES = sql.Identifier("pg_temp", "data_pipeline.undo_changes")
_LOAD_ID = sql.Identifier("t", LOAD_ID_COLUMN)
_OLD, _KEY = sql.Identifier("c", "old"), sql.Identifier("c", "key")


class LockedLoad(NamedTuple):
    """A load whose row is locked until the end of the transaction."""

    status: str
    target: str | None
    rows_inserted: int | None
    rows_updated: int | None
    rows_deleted: int | None
    undone_at: datetime | None
    tables: int  # whose rows it changed


def lock_load(database: str, load_id: int) -> LockedLoad | None:
    """Lock a load. Return None if there is none."""
    rows = sessions.query(database, STATEMENTS["lock_load"], {"load_id": load_id})
    return LockedLoad(*rows[0]) if rows else None


def loads_of_rejects(database: str, load_id: int) -> Sequence[int]:
    """Return the loads that corrected rejects of a load, the latest first."""
    return [one for (one,) in sessions.query(database, STATEMENTS["loads_of_rejects"], {"load_id": load_id})]


@dataclass(frozen=True, kw_only=True, slots=True)
class UndoneRows:
    """What an undo changed in the table."""

    removed: int  # rows that the load had inserted
    restored: int  # rows that the load had updated
    reinserted: int  # rows that the load had deleted

    @property
    def has_changes(self) -> bool:
        return bool(self.removed or self.restored or self.reinserted)


@dataclass(frozen=True, kw_only=True, slots=True)
class KeptChanges:
    """The previous values that a load has kept."""

    updated: int  # rows
    deleted: int  # rows
    has_keys: bool  # each row can be identified, and each updated one by a key of its own
    columns: frozenset[str]  # of the previous rows
    key: frozenset[str]  # columns


class Undoing:
    """The undo of one load. Other sessions can read its table meanwhile, but not write it."""

    def __init__(self, database: str, load_id: int, target: TargetTable) -> None:
        self._database, self._load_id, self._target = database, load_id, target
        self._parameters: Mapping[str, Any] = {
            "load_id": load_id,
            "target": str(target.name),
            "column": LOAD_ID_COLUMN,
        }
        lock_against_writers(database, target.identifier)
        sessions.query(database, STATEMENTS["copy_changes"], self._parameters)
        sessions.query(database, sql.SQL("ANALYZE {}").format(_CHANGES))

    @cached_property
    def kept(self) -> KeptChanges:
        """The previous values that the load has kept."""
        [(updated, deleted, has_keys, columns, key)] = sessions.query(self._database, STATEMENTS["changes_kept"])
        return KeptChanges(
            updated=updated,
            deleted=deleted,
            has_keys=bool(has_keys),
            columns=frozenset(columns or ()),
            key=frozenset(key or ()),
        )

    def rows_as_left(self) -> int:
        """Return the number of rows that are as the load left them."""
        if self._target.is_tracked:
            statement = sql.SQL("SELECT count(*) FROM {} AS t WHERE {} AND {}").format(
                self._target.identifier, self._is_of_load, self._is_as_left
            )
        else:
            statement = sql.SQL("SELECT count(*) FROM {} AS t JOIN {} AS c ON NOT c.deleted AND {} WHERE {}").format(
                self._target.identifier, _CHANGES, self._same_key, self._is_as_left
            )
        return int(sessions.query(self._database, statement)[0][0])

    def rows_in_place_of_deleted(self) -> int:
        """Return the number of rows with the key of a deleted row."""
        if not (self.kept.deleted and self.kept.has_keys):
            return 0
        statement = sql.SQL("SELECT count(*) FROM {} AS t JOIN {} AS c ON c.deleted AND {}{}").format(
            self._target.identifier,
            _CHANGES,
            self._same_key,
            sql.SQL(" WHERE {} IS DISTINCT FROM {}").format(_LOAD_ID, self._load_id)
            if self._target.is_tracked
            else sql.SQL(" WHERE NOT {}").format(self._is_as_left),
        )
        return int(sessions.query(self._database, statement)[0][0])

    def later_loads(self) -> Sequence[int]:
        """Return the later loads of the same rows, the latest first.

        Only loads whose rows are in the table count.
        """
        found = set(self._first_column(STATEMENTS["later_changes_of_keys"]))
        if self._target.is_tracked:
            found |= set(self._first_column(STATEMENTS["later_changes_of_rows"]))
            if self.kept.has_keys:
                statement = sql.SQL("SELECT DISTINCT {} FROM {} AS t JOIN {} AS c ON {} WHERE {} <> {}").format(
                    _LOAD_ID, self._target.identifier, _CHANGES, self._same_key, _LOAD_ID, self._load_id
                )
                found |= {one for (one,) in sessions.query(self._database, statement)}
        parameters = {"load_ids": list(found)}
        return [one for (one,) in sessions.query(self._database, STATEMENTS["loads_in_table"], parameters)]

    def run(self) -> UndoneRows:
        """Change the table. Raises database errors, for example if another table references a removed row."""
        removed = self._remove_inserted() if self._target.is_tracked else 0
        restored = self._restore_updated() if self.kept.updated else 0
        reinserted = self._reinsert_deleted()
        sessions.query(self._database, STATEMENTS["set_constraints_immediate"])  # a violation is found now, not later
        return UndoneRows(removed=removed, restored=restored, reinserted=reinserted)

    def mark(self, rows: UndoneRows, *, actor: str) -> None:
        """Mark the load as undone, and request a refresh."""
        relations = [[self._target.name.schema, self._target.name.name]]
        parameters = {
            **self._parameters,
            "actor": actor,
            "removed": rows.removed,
            "restored": rows.restored,
            "reinserted": rows.reinserted,
            "relations": jsonb(relations) if rows.has_changes else None,
        }
        sessions.query(self._database, STATEMENTS["mark_undone"], parameters)

    def rows_that_refer(self) -> str | None:
        """Return other tables' rows that the undo would delete or change.

        They refer to rows that the load inserted. None if there are no such rows.
        """
        return find_dependents(self._database, self._target, self._is_inserted) if self._target.is_tracked else None

    def _remove_inserted(self) -> int:
        return self._count(sql.SQL("DELETE FROM {} AS t WHERE {}").format(self._target.identifier, self._is_inserted))

    @property
    def _is_inserted(self) -> sql.Composed:
        if not self.kept.updated:
            return self._is_of_load
        updated = sql.SQL("EXISTS (SELECT FROM {} AS c WHERE NOT c.deleted AND {})").format(_CHANGES, self._same_key)
        return sql.SQL("{} AND NOT {}").format(self._is_of_load, updated)

    def _restore_updated(self) -> int:
        columns = [one for one in self._target.columns if one.name in self.kept.columns - self.kept.key]
        values = sql.SQL(", ").join(
            sql.SQL("{} = {}").format(sql.Identifier(one.name), value_of(one, _OLD)) for one in columns
        )
        statement = sql.SQL("UPDATE {} AS t SET {} FROM {} AS c WHERE NOT c.deleted AND {}").format(
            self._target.identifier, values, _CHANGES, self._same_key
        )
        return self._count(statement)

    def _reinsert_deleted(self) -> int:
        if not self.kept.deleted:
            return 0
        columns = [one for one in self._target.stored_columns if one.name in self.kept.columns]
        statement = sql.SQL(
            "INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE SELECT {} FROM {} AS c WHERE c.deleted ORDER BY c.id"
        ).format(
            self._target.identifier,
            sql.SQL(", ").join(sql.Identifier(one.name) for one in columns),
            sql.SQL(", ").join(value_of(one, _OLD) for one in columns),
            _CHANGES,
        )
        return self._count(statement)

    def _count(self, statement: sql.Composed) -> int:
        counted = sql.SQL("WITH affected AS ({} RETURNING 1) SELECT count(*) FROM affected").format(statement)
        return int(sessions.query(self._database, counted)[0][0])

    def _first_column(self, statement: str) -> list[int]:
        return [one for (one,) in sessions.query(self._database, statement, self._parameters)]

    @property
    def _is_of_load(self) -> sql.Composed:
        return sql.SQL("{} = {}").format(_LOAD_ID, self._load_id)

    @property
    def _same_key(self) -> sql.Composed:
        return same_values(self._key_columns, alias="t", texts=_KEY)

    @cached_property
    def _key_columns(self) -> Sequence[TargetColumn]:
        return [one for one in self._target.all_columns if one.name in self.kept.key]

    @cached_property
    def _is_as_left(self) -> sql.Composed:
        """The condition that the load, or an undo, wrote the current version."""
        return is_written_by(writers_of(self._database, self._target, self._load_id))
