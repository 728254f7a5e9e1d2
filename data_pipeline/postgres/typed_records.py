"""Records that COPY reads into typed columns, skipping bad values.

That needs PostgreSQL 17. Only the records that do not arrive are explained as texts, value by value.
"""

from collections.abc import Mapping, Sequence

from django.db import Error
from psycopg import sql

from data_pipeline.domain import silent_changes
from data_pipeline.domain.csv_fields import CsvFormat
from data_pipeline.domain.csv_records import SplitRecords
from data_pipeline.domain.rejects import Problem
from data_pipeline.postgres import staging_tables
from data_pipeline.postgres.copying import attempt_copy, copy_statement, near_today
from data_pipeline.postgres.row_sets import RECORD_NO, RECORD_NO_NAME, RowSet
from data_pipeline.postgres.row_skipping import insert
from data_pipeline.postgres.savepoints import affected_rows
from data_pipeline.postgres.staging_tables import MAX_COLUMNS, TYPED, FileColumn
from data_pipeline.postgres.text_records import TextRecords
from seeder.postgres import sessions

_SKIPS_BAD_VALUES = 170000  # server version from which COPY has ON_ERROR


def can_skip_bad_values(database: str, columns: Sequence[FileColumn], file_columns: int) -> bool:
    """Return whether the records of a file can be loaded as `TypedRecords`."""
    version = sessions.driver_connection(database).info.server_version
    return version >= _SKIPS_BAD_VALUES and len(columns) == file_columns < MAX_COLUMNS


class TypedRecords:
    """The records of a refused chunk in `TYPED`. Every column of the file is loaded."""

    def __init__(
        self, database: str, columns: Sequence[FileColumn], texts: TextRecords, *, csv_format: CsvFormat
    ) -> None:
        self._database, self._texts, self._csv_format = database, texts, csv_format
        self._columns = sorted(columns, key=lambda one: one.position)
        targets = [column.target for column in columns]
        reads_other_words = any(one.reads_date_words and not one.is_date for one in targets)
        self._may_have_word = sql.SQL("true") if reads_other_words else near_today(targets)
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
    def source(self) -> RowSet:
        """The records with the types of the target."""
        if not self._is_typed:
            return self._texts.source
        names = [column.target.name for column in self._columns]
        return RowSet(relation=TYPED, columns=names, is_ordered=self._is_ordered)

    def _fill_typed(self, split: SplitRecords) -> set[int] | None:
        """Copy the records. Return the numbers of those that are not there, or None if COPY cannot skip bad values."""
        if not self._is_prepared:
            staging_tables.create_typed(self._database, self._columns)
            self._is_prepared = True
        sessions.query(self._database, sql.SQL("TRUNCATE {}").format(TYPED))
        names = [RECORD_NO_NAME, *(column.target.name for column in self._columns)]
        statement = copy_statement(TYPED, names, self._csv_format, skips_bad_values=True)
        count = attempt_copy(self._database, statement, staging_tables.numbered(split, self._csv_format))
        if isinstance(count, Error):  # the input function of a type, or the check of a domain, raises its errors
            self._is_typed = False
            return None
        return self._take_doubtful(split)

    def _take_doubtful(self, split: SplitRecords) -> set[int]:
        """Remove rows that must be checked as texts.

        They lack a required value, or have a word whose meaning changes. Return the numbers of the removed records, and
        of those that COPY skipped.
        """
        required = [column.name for column in self._columns if column.target.is_required]
        is_null = sql.SQL(" OR ").join(sql.SQL("{} IS NULL").format(name) for name in required)
        # A scan returns the rows in the order of the file, so that skipped records are between two rows.
        statement = sql.SQL(
            "SELECT place::text, {number}, previous, is_null FROM (SELECT *, lag({number}, 1, {before}) OVER () AS"
            " previous FROM (SELECT ctid AS place, {number}, {is_null} AS is_null, {may_have_word} AS may_have_word"
            " FROM {typed} UNION ALL SELECT NULL, {behind}, false, false) AS there) AS rows"
            " WHERE {number} > previous + 1 OR is_null OR may_have_word"
        ).format(
            number=RECORD_NO,
            before=sql.Literal(split.numbers[0] - 1),
            behind=sql.Literal(split.numbers[-1] + 1),
            typed=TYPED,
            is_null=is_null if required else sql.SQL("false"),
            may_have_word=self._may_have_word or sql.SQL("false"),
        )
        doubtful, places = set[int](), list[str]()
        for place, number, previous, is_null in sessions.query(self._database, statement):
            doubtful.update(split.numbers_between(previous + 1, number - 1))
            if place and (is_null or silent_changes.contains_changing_word(split.record(number))):
                doubtful.add(number)
                places.append(place)
        if places:
            delete = sql.SQL("DELETE FROM {} WHERE ctid = ANY ({}::tid[])").format(TYPED, sql.Literal(places))
            sessions.query(self._database, delete)
        return doubtful
