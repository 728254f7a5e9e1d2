"""Merges the rows of a whole file into the target.

The changed rows are updated and the missing ones inserted, in two statements under the target's lock. So unchanged rows
keep their version, and the counts are exact on every supported server (MERGE tells them apart since PostgreSQL 17).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from psycopg import sql

from data_pipeline.domain.dialects import Mode
from data_pipeline.domain.load_counts import LoadCounts
from data_pipeline.domain.rejects import MAX_TEXT_LENGTH, Problem
from data_pipeline.errors import KeyNotUnique, RowsReferenced
from data_pipeline.postgres import staging_tables, target_tables
from data_pipeline.postgres.constraint_violations import ViolationSearch
from data_pipeline.postgres.dependent_rows import find_dependents
from data_pipeline.postgres.duplicate_rows import DuplicateRows
from data_pipeline.postgres.load_transactions import lock_against_writers
from data_pipeline.postgres.row_serialization import row_texts
from data_pipeline.postgres.row_sets import RECORD_NO, RowSet
from data_pipeline.postgres.row_skipping import RowSkippingStatement, delete_records, insert
from data_pipeline.postgres.savepoints import affected_rows
from data_pipeline.postgres.staging_tables import REJECTED_KEYS, ROWS, FileColumn
from data_pipeline.postgres.target_tables import LOAD_ID_COLUMN, TargetTable
from seeder.domain.human_format import format_count
from seeder.postgres import sessions

_CHANGED = sql.Identifier("pg_temp", "data_pipeline.changed")
_NOT_NULL_VIOLATION = "23502"


@dataclass(frozen=True, kw_only=True, slots=True)
class Merge:
    """How the rows of a file are merged."""

    target: TargetTable
    columns: Sequence[FileColumn]
    mode: Mode
    key: Sequence[str]  # columns that identify a row; empty for the modes append and replace
    rows: int  # in `ROWS`
    load_id: int
    keeps_old_rows: bool  # so that the load can be undone


@dataclass(kw_only=True, slots=True)
class MergeResult:
    """What a merge did, and the rows that it left out.

    These are by record number.
    """

    counts: LoadCounts
    refused: dict[int, list[Problem]] = field(default_factory=dict)
    rejected_keys: frozenset[int] = frozenset()  # rejected records whose keys a snapshot knows


def merge(database: str, facts: Merge) -> MergeResult:
    """Merge `ROWS` into the target.

    Other sessions can read the target meanwhile, but write it only if the load only appends rows.
    """
    if facts.mode is not Mode.APPEND:
        lock_against_writers(database, facts.target.identifier)
    return _Merging(database, facts).run()


class _Merging:
    def __init__(self, database: str, facts: Merge) -> None:
        self._database, self._facts = database, facts
        self._names = [column.target.name for column in facts.columns]
        self._values = [name for name in self._names if name not in facts.key]
        self._source = RowSet(relation=ROWS, columns=self._names, is_ordered=True)
        self._duplicates = DuplicateRows(database, self._source, facts.key)
        self._rows, self._refused, self._without_key = facts.rows, dict[int, list[Problem]](), set[int]()

    def run(self) -> MergeResult:
        deleted, has_key = 0, bool(self._facts.key)
        if self._facts.mode is Mode.REPLACE:
            deleted = self._delete_old(sql.SQL("true"))
        if has_key:
            self._refuse_bad_keys()
            self._require_unique_matches()
        if self._facts.mode is Mode.SNAPSHOT:
            is_absent = "NOT EXISTS (SELECT FROM {} AS s WHERE {})"
            absent = [sql.SQL(is_absent).format(keys, self._same_key) for keys in (ROWS, REJECTED_KEYS)]
            deleted = self._delete_old(sql.SQL(" AND ").join(absent))
        updated, inserted, unchanged = self._merge_rows()
        while again := self._duplicates.bring_back(self._refused):
            self._rows = len(again)
            for number in again:
                del self._refused[number]
            self._refuse(self._duplicates.find())
            more = self._merge_rows()
            updated, inserted, unchanged = updated + more[0], inserted + more[1], unchanged + more[2]
        counts = LoadCounts(
            rows_inserted=inserted, rows_updated=updated, rows_unchanged=unchanged, rows_deleted=deleted
        )
        return MergeResult(counts=counts, refused=self._refused, rejected_keys=self._rejected_keys())

    def _rejected_keys(self) -> frozenset[int]:
        if self._facts.mode is not Mode.SNAPSHOT:
            return frozenset()
        rows = sessions.query(self._database, sql.SQL("SELECT {} FROM {}").format(RECORD_NO, REJECTED_KEYS))
        return frozenset(number for (number,) in rows) | self._refused.keys() - self._without_key

    def _merge_rows(self) -> tuple[int, int, int]:
        """Merge the rows. Return how many are updated, inserted and unchanged. A trigger can keep out others."""
        matched, changed = self._count_matches() if self._facts.key else (0, 0)
        has_new = matched < self._rows  # before updates are refused
        updated = self._update_changed() if changed else 0
        inserted = self._insert_new(has_matches=matched > 0) if has_new else 0
        return updated, inserted, matched - changed

    def _refuse_bad_keys(self) -> None:
        """Refuse rows without a key or with an earlier row's key."""
        columns = {column.target.name: column for column in self._facts.columns}
        key = [columns[name] for name in self._facts.key]
        for column in key:
            if not column.target.is_required:
                self._refuse_without(column)
        if not staging_tables.index_rows(self._database, key):
            self._refuse(self._duplicates.find())

    def _refuse_without(self, column: FileColumn) -> None:
        """Refuse rows without a value in a column of the key."""
        statement = sql.SQL("SELECT {} FROM {} WHERE {} IS NULL").format(RECORD_NO, ROWS, column.name)
        reason = f'null value in key column "{column.target.name}"'
        problem = Problem(column=column.target.name, sqlstate=_NOT_NULL_VIOLATION, reason=reason)
        numbers = [number for (number,) in sessions.query(self._database, statement)]
        self._without_key.update(numbers)
        self._refuse({number: [problem] for number in numbers})

    def _require_unique_matches(self) -> None:
        """Raise `KeyNotUnique` if a key matches several target rows."""
        facts = self._facts
        if target_tables.is_unique(self._database, facts.target, facts.key):
            return
        statement = sql.SQL(
            "SELECT s.{number}, count(*), left(concat_ws(', ', {key}), {length})"
            " FROM {target} AS t JOIN {rows} AS s ON {same}"
            " GROUP BY s.{number}, {key} HAVING count(*) > 1 ORDER BY 1 LIMIT 1"
        ).format(
            number=RECORD_NO,
            key=sql.SQL(", ").join(sql.Identifier("s", name) for name in facts.key),
            length=sql.Literal(MAX_TEXT_LENGTH),
            target=facts.target.identifier,
            rows=ROWS,
            same=self._same_key,
        )
        for number, count, key in sessions.query(self._database, statement):
            raise KeyNotUnique(
                table=str(facts.target.name),
                mode=facts.mode.value,
                rows=format_count(count, "row"),
                record=number,
                key=key,
            )

    def _refuse(self, refused: dict[int, list[Problem]]) -> None:
        delete_records(self._database, ROWS, list(refused))
        self._rows -= len(refused)
        self._refused |= refused

    def _affect(self, source: RowSet, build: Callable[[RowSet], sql.Composed], *, is_insert: bool) -> int:
        """Insert or update rows. Return their number."""
        search = ViolationSearch(self._database, self._facts.target, own_key=() if is_insert else self._facts.key)
        result = RowSkippingStatement(self._database, source, search=search, build=build).run()
        self._refuse(result.refused)
        return result.count

    def _count_matches(self) -> tuple[int, int]:
        """Return how many rows match the target, and how many differ.

        One join counts both.
        """
        statement = sql.SQL("SELECT count(*), count(*) FILTER (WHERE {}) FROM {} AS t JOIN {} AS s ON {}").format(
            self._differs, self._facts.target.identifier, ROWS, self._same_key
        )
        matched, changed = sessions.query(self._database, statement)[0]
        return matched, changed

    def _update_changed(self) -> int:
        """Update the rows that differ. Return their number."""
        old = self._old_row if self._facts.keeps_old_rows else sql.SQL("NULL")
        found = sql.SQL(
            "CREATE TEMPORARY TABLE {} ON COMMIT DROP AS"
            " SELECT s.{}, {} AS old FROM {} AS t JOIN {} AS s ON {} WHERE {}"
        ).format(_CHANGED, RECORD_NO, old, self._facts.target.identifier, ROWS, self._same_key, self._differs)
        sessions.query(self._database, found)
        is_changed = sql.SQL("s.{} IN (SELECT {} FROM {})").format(RECORD_NO, RECORD_NO, _CHANGED)
        updated = self._affect(self._source.where(is_changed), self._update, is_insert=False)
        sessions.query(self._database, sql.SQL("DROP TABLE {}").format(_CHANGED))
        return updated

    def _update(self, source: RowSet) -> sql.Composed:
        values = [sql.SQL("{} = s.{}").format(sql.Identifier(name), sql.Identifier(name)) for name in self._values]
        if self._facts.target.is_tracked:
            values.append(sql.SQL("{} = {}").format(sql.Identifier(LOAD_ID_COLUMN), sql.Literal(self._facts.load_id)))
        update = sql.SQL("UPDATE {} AS t SET {} FROM {} AS s WHERE {}").format(
            self._facts.target.identifier, sql.SQL(", ").join(values), source.relation, self._same_key
        )
        changed = sql.SQL("affected JOIN {} USING ({})").format(_CHANGED, RECORD_NO)
        number = sql.SQL("s.{}").format(RECORD_NO)
        return self._keeping(update, returning=number, source=changed, deleted=False)

    def _insert_new(self, *, has_matches: bool) -> int:
        """Insert the rows whose key the target does not have. Return their number."""
        target, source = self._facts.target.identifier, self._source
        if has_matches:
            source = source.where(sql.SQL("NOT EXISTS (SELECT FROM {} AS t WHERE {})").format(target, self._same_key))
        return self._affect(source, lambda part: insert(target, part), is_insert=True)

    def _delete_old(self, condition: sql.Composable) -> int:
        """Delete rows of the target that the file does not have. Return their number."""
        facts, target = self._facts, self._facts.target.identifier
        if (dependents := find_dependents(self._database, facts.target, condition)) is not None:
            raise RowsReferenced(table=str(facts.target.name), mode=facts.mode.value, dependents=dependents)
        delete = sql.SQL("DELETE FROM {} AS t WHERE {}").format(target, condition)
        old = sql.SQL("{} AS old").format(self._old_row)
        keeping = self._keeping(delete, returning=old, source=sql.SQL("affected"), deleted=True)
        return affected_rows(self._database, keeping)

    def _keeping(
        self, change: sql.Composed, *, returning: sql.Composed, source: sql.Composable, deleted: bool
    ) -> sql.Composed:
        """Return a statement that also keeps the previous rows.

        A trigger can keep rows from being changed.
        """
        if not self._facts.keeps_old_rows:
            return change
        return sql.SQL(
            "WITH affected AS ({} RETURNING {} AS key, {})"
            " INSERT INTO load_change (load_id, target, key, old, deleted) SELECT {}, {}, key, old, {} FROM {}"
        ).format(
            change,
            row_texts(self._facts.key or self._facts.target.primary_key, alias="t"),
            returning,
            sql.Literal(self._facts.load_id),
            sql.Literal(str(self._facts.target.name)),
            sql.Literal(deleted),
            source,
        )

    @property
    def _old_row(self) -> sql.Composed:
        return row_texts([column.name for column in self._facts.target.stored_columns], alias="t")

    @property
    def _same_key(self) -> sql.Composed:
        return self._facts.target.same_values(self._facts.key, "t", "s")

    @property
    def _differs(self) -> sql.Composable:
        """Condition that a target row differs from that of the file.

        Comparing all values by their bytes would take twice the time.
        """
        exact = {column.target.name for column in self._facts.columns if column.target.has_exact_equality}
        conditions = [
            sql.SQL(comparison).format(self._list("t", names), self._list("s", names))
            for comparison, names in (
                ("ROW({}) IS DISTINCT FROM ROW({})", [name for name in self._values if name in exact]),
                ("ROW({})::record *<> ROW({})::record", [name for name in self._values if name not in exact]),
            )
            if names
        ]
        return sql.SQL("({})").format(sql.SQL(" OR ").join(conditions)) if conditions else sql.SQL("false")

    def _list(self, alias: str, names: Sequence[str]) -> sql.Composed:
        return sql.SQL(", ").join(sql.Identifier(alias, name) for name in names)
