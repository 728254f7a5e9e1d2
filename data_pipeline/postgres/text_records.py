"""Records as texts, whose values are checked one by one. Works on every supported server."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

import psycopg
from django.db import connections
from psycopg import sql

from data_pipeline.domain.csv_fields import CsvFormat, parse_fields
from data_pipeline.domain.csv_records import SplitRecords
from data_pipeline.domain.rejects import Problem
from data_pipeline.domain.type_patterns import FieldType, pattern_of_record
from data_pipeline.postgres import staging_tables
from data_pipeline.postgres.failing_checks import FailingChecks
from data_pipeline.postgres.normalized_texts import NormalizedTexts
from data_pipeline.postgres.row_sets import RECORD_NO, RowSet, number_list
from data_pipeline.postgres.row_skipping import delete_records
from data_pipeline.postgres.staging_tables import REJECTED_KEYS, TEXTS, FileColumn
from data_pipeline.postgres.target_tables import TargetTable
from data_pipeline.postgres.value_checks import ValueChecks
from seeder.postgres import sessions

# A row must fit a page of 8 kB, where each text takes up to 24 bytes. Records with more fields are stored as arrays.
_MAX_TEXT_COLUMNS = 300


class TextRecords:
    """The records of a refused chunk in `TEXTS`."""

    def __init__(  # noqa: PLR0913  # facts of one load
        self,
        database: str,
        columns: Sequence[FileColumn],
        *,
        target: TargetTable,
        csv_format: CsvFormat,
        file_columns: int,
        normalized: NormalizedTexts | None,
        kept_key: Sequence[FileColumn],
    ) -> None:
        self._database, self._columns, self._kept_key = database, columns, kept_key
        self._csv_format, self._file_columns, self._normalized = csv_format, file_columns, normalized
        self._has_arrays = file_columns > _MAX_TEXT_COLUMNS and normalized is None
        self._failing_checks = FailingChecks(database, target)
        self._checks = ValueChecks(database, columns, text=self._text)
        self._sure = None if normalized else pattern_of_record(self._fields(), csv_format)
        self._is_prepared = False

    def fill(self, split: SplitRecords) -> Mapping[int, Sequence[Problem]]:
        """Replace the records by the good ones of others. Return the problems of the bad ones."""
        self._prepare()
        problems: dict[int, list[Problem]]
        if self._normalized is not None:
            self._normalized.fill(split)
            problems = self._normalized.explain(self._checks.find_problems(), split)
        else:
            self._fill_texts(split)
            problems = self._checks.find_problems(self._unsure(split))
        self._add_failing_checks(problems)
        if self._kept_key:
            self._keep_keys(problems)
        delete_records(self._database, TEXTS, problems)
        return problems

    def _add_failing_checks(self, problems: dict[int, list[Problem]]) -> None:
        """Add the constraints that the other values of bad records violate."""
        bad = defaultdict[str, list[int]](list)
        for number, found in problems.items():
            for one in found:
                bad[one.column or ""].append(number)
        values = sql.SQL(", ").join(
            sql.SQL("CASE WHEN {} <> ALL ({}) THEN {}::{} END AS {}").format(
                RECORD_NO, number_list(bad[column.target.name]), self._text(column), column.type, column.name
            )
            for column in self._columns
        )
        relation = sql.SQL("(SELECT {}, {} FROM {})").format(RECORD_NO, values, TEXTS)
        source = RowSet(relation=relation, columns=[column.target.name for column in self._columns])
        known = {number: [one.column or "" for one in found] for number, found in problems.items()}
        self._failing_checks.add_to(problems, source, known=known)

    def _keep_keys(self, problems: Mapping[int, Sequence[Problem]]) -> None:
        """Keep the keys of bad records whose key has no problem."""
        key = {column.target.name for column in self._kept_key}
        numbers = [number for number, found in problems.items() if key.isdisjoint(one.column for one in found)]
        statement = sql.SQL("INSERT INTO {} SELECT {}, {} FROM {} WHERE {} = ANY ({}) AND num_nulls({}) = 0").format(
            REJECTED_KEYS,
            RECORD_NO,
            self._values(self._kept_key),
            TEXTS,
            RECORD_NO,
            number_list(numbers),
            sql.SQL(", ").join(map(self._text, self._kept_key)),
        )
        sessions.query(self._database, statement)

    def _values(self, columns: Sequence[FileColumn]) -> sql.Composed:
        return sql.SQL(", ").join(
            sql.SQL("{}::{} AS {}").format(self._text(column), column.type, column.name) for column in columns
        )

    @property
    def source(self) -> RowSet:
        """The records with the types of the target."""
        relation = sql.SQL("(SELECT {}, {} FROM {})").format(RECORD_NO, self._values(self._columns), TEXTS)
        return RowSet(relation=relation, columns=[column.target.name for column in self._columns], is_ordered=True)

    def _unsure(self, split: SplitRecords) -> list[int] | None:
        """Return the records to check, or None for all."""
        if self._sure is None:
            return None
        is_sure = self._sure.fullmatch
        return [number for number, one in zip(split.numbers, split.records, strict=True) if is_sure(one) is None]

    def _text(self, column: FileColumn) -> sql.Composable:
        return sql.SQL("fields[{}]").format(sql.Literal(column.position + 1)) if self._has_arrays else column.text

    def _fields(self) -> list[FieldType]:
        """Return what the fields of a record must be. A field without a column may have any text."""
        fields = [FieldType(type=None, is_required=False)] * self._file_columns
        for one in self._columns:
            type_name = None if one.target.is_any_text else one.target.type
            fields[one.position] = FieldType(type=type_name, is_required=one.target.is_required)
        return fields

    def _prepare(self) -> None:
        if self._is_prepared:
            return
        if self._normalized is not None:
            self._normalized.create()
        elif self._has_arrays:
            staging_tables.create_text_arrays(self._database)
        else:
            staging_tables.create_texts(self._database, columns=self._file_columns)
        self._checks.prepare()
        self._is_prepared = True

    def _fill_texts(self, split: SplitRecords) -> None:
        if not self._has_arrays:
            staging_tables.fill_texts(self._database, split, self._csv_format, columns=self._file_columns)
            return
        sessions.query(self._database, sql.SQL("TRUNCATE {}").format(TEXTS))
        connection = sessions.driver_connection(self._database)
        with (
            connections[self._database].wrap_database_errors,
            psycopg.Cursor(connection) as cursor,
            cursor.copy(sql.SQL("COPY {} FROM STDIN").format(TEXTS)) as copy,
        ):
            copy.set_types(["int8", "text[]"])
            for number, record in zip(split.numbers, split.records, strict=True):
                copy.write_row((number, parse_fields(record, self._csv_format)))
