"""Records whose values PostgreSQL 17 and later read while they are copied, skipping the bad ones.

Only the records that do not arrive are explained as texts, value by value.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence

from django.db import Error
from psycopg import sql

from data_pipeline.domain import silent_changes
from data_pipeline.domain.fields import CsvFormat
from data_pipeline.domain.records import SplitRecords
from data_pipeline.domain.rejects import Problem
from data_pipeline.postgres import record_tables
from data_pipeline.postgres.affected_rows import affected_rows
from data_pipeline.postgres.checked_statements import insert
from data_pipeline.postgres.copying import attempt_copy, copy_statement
from data_pipeline.postgres.record_tables import TYPED, FileColumn
from data_pipeline.postgres.row_sources import RECORD_NO, RowSource
from data_pipeline.postgres.text_records import TextRecords
from seeder.postgres import sessions

_SKIPS_BAD_VALUES = 170000  # server version from which COPY has ON_ERROR
_MAX_COLUMNS = 1600  # of a table, of which one has the record number


def can_skip_bad_values(database: str, columns: Sequence[FileColumn], file_columns: int) -> bool:
    """Return whether the records of a file can be loaded as `TypedRecords`."""
    version = sessions.driver_connection(database).info.server_version
    return version >= _SKIPS_BAD_VALUES and len(columns) == file_columns < _MAX_COLUMNS


class TypedRecords:
    """The records of a refused chunk in `load_typed`. Every column of the file is loaded."""

    def __init__(
        self, database: str, columns: Sequence[FileColumn], texts: TextRecords, *, csv_format: CsvFormat
    ) -> None:
        self._database, self._texts, self._csv_format = database, texts, csv_format
        self._columns = sorted(columns, key=lambda one: one.position)
        self._reads_words = any(column.target.reads_date_words for column in columns)
        self._is_prepared = self._is_ordered = False
        self._is_typed = True

    def fill(self, split: SplitRecords) -> Mapping[int, Sequence[Problem]]:
        """Replace the records by the good ones of others. Return the problems of the bad ones."""
        doubtful = self._fill_typed(split) if self._is_typed else None
        if doubtful is None:
            return self._texts.fill(split)
        self._is_ordered = True
        if not doubtful:
            return {}
        problems = self._texts.fill(split.pick(doubtful))
        if len(problems) < len(doubtful):
            affected_rows(self._database, insert(TYPED, self._texts.source, with_numbers=True))
            self._is_ordered = False
        return problems

    @property
    def source(self) -> RowSource:
        """The records with the types of the target."""
        if not self._is_typed:
            return self._texts.source
        names = [column.target.name for column in self._columns]
        return RowSource(relation=TYPED, columns=names, is_ordered=self._is_ordered)

    def _fill_typed(self, split: SplitRecords) -> set[int] | None:
        """Copy the records. Return the numbers of those that are not there, or None if COPY cannot skip bad values."""
        if not self._is_prepared:
            record_tables.create_typed(self._database, self._columns)
            self._is_prepared = True
        sessions.query(self._database, "TRUNCATE pg_temp.load_typed")
        suspects = self._suspects(split)
        if len(suspects) == len(split.records):
            return suspects
        copied = split.pick(set(split.numbers) - suspects) if suspects else split
        names = ["load_record_no", *(column.target.name for column in self._columns)]
        statement = copy_statement(TYPED, names, self._csv_format, skips_bad_values=True)
        count = attempt_copy(self._database, statement, record_tables.numbered(copied, self._csv_format))
        if isinstance(count, Error):  # the input function of a type, or the check of a domain, raises its errors
            self._is_typed = False
            return None
        return suspects | self._take_absent(copied, count)

    def _suspects(self, split: SplitRecords) -> set[int]:
        """Return the records that may have a word whose meaning changes."""
        if not self._reads_words:
            return set()
        return {
            number
            for number, record in zip(split.numbers, split.records, strict=True)
            if silent_changes.contains_changing_word(record)
        }

    def _take_absent(self, copied: SplitRecords, count: int) -> set[int]:
        """Remove records without a required value. Return their numbers, and those of the records that COPY skipped."""
        required = [column.name for column in self._columns if column.target.is_required]
        if required:
            is_null = sql.SQL(" OR ").join(sql.SQL("{} IS NULL").format(name) for name in required)
            count -= affected_rows(self._database, sql.SQL("DELETE FROM {} WHERE {}").format(TYPED, is_null))
        if count == len(copied.records):
            return set()
        # A scan returns the rows in the order of the file, so that the absent records are between two rows.
        statement = sql.SQL(
            "SELECT previous + 1, {number} - 1 FROM (SELECT {number}, lag({number}, 1, {before}) OVER () AS previous"
            " FROM (SELECT {number} FROM {typed} UNION ALL SELECT {behind}) AS there) AS gaps"
            " WHERE {number} > previous + 1"
        ).format(
            number=RECORD_NO,
            before=sql.Literal(copied.numbers[0] - 1),
            behind=sql.Literal(copied.numbers[-1] + 1),
            typed=TYPED,
        )
        return {
            number
            for first, last in sessions.query(self._database, statement)
            for number in copied.numbers[bisect_left(copied.numbers, first) : bisect_right(copied.numbers, last)]
        }
