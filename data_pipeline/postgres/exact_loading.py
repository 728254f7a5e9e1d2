"""Loads the good records of a refused chunk, and explains every bad one."""

from bisect import bisect_left
from collections.abc import Sequence

from psycopg import sql

from data_pipeline.domain.fields import CsvFormat
from data_pipeline.domain.records import SplitRecords
from data_pipeline.domain.rejects import MAX_RAW_BYTES, Problem, Reject
from data_pipeline.postgres import record_tables
from data_pipeline.postgres.checked_statements import CheckedStatement, delete_records, insert
from data_pipeline.postgres.constraint_violations import RowSource
from data_pipeline.postgres.normalized_texts import NormalizedTexts
from data_pipeline.postgres.record_tables import TEXTS, FileColumn
from data_pipeline.postgres.target_tables import TargetTable
from data_pipeline.postgres.value_checks import ValueChecks


class ExactLoading:
    """The way of refused chunks into a relation: the target itself, or the table of its rows."""

    def __init__(  # noqa: PLR0913  # facts of one load
        self,
        database: str,
        target: TargetTable,
        columns: Sequence[FileColumn],
        *,
        csv_format: CsvFormat,
        file_columns: int,
        into_rows: bool,
        normalized: NormalizedTexts | None,
    ) -> None:
        self._database, self._target, self._columns = database, target, columns
        self._csv_format, self._file_columns, self._into_rows = csv_format, file_columns, into_rows
        self._normalized = normalized
        self._checks = ValueChecks(database, columns, check_words=True)
        self._is_prepared = False

    def load(self, split: SplitRecords) -> tuple[int, list[Reject]]:
        """Load well-formed records. Return the number of loaded rows and the rejected records."""
        if not split.records:
            return 0, []
        self._prepare()
        problems = self._fill(split)
        delete_records(self._database, TEXTS, list(problems))
        result = CheckedStatement(self._database, self._target, self._source, table=TEXTS, build=self._insert).run()
        problems |= {number: [problem] for number, problem in result.refused.items()}
        if self._into_rows:
            record_tables.continue_numbers(self._database, split.numbers[-1] + 1)
        return result.count, [_reject(split, number, problems[number]) for number in sorted(problems)]

    def _fill(self, split: SplitRecords) -> dict[int, Sequence[Problem]]:
        """Fill `load_texts`. Return the problems of its values, by record number."""
        if self._normalized is not None:
            self._normalized.fill(split)
            return self._normalized.explain(self._checks.find_problems(), split)
        record_tables.fill_texts(self._database, split, self._csv_format, columns=self._file_columns)
        return dict(self._checks.find_problems())

    def _prepare(self) -> None:
        if not self._is_prepared:
            if self._normalized is not None:
                self._normalized.create()
            else:
                record_tables.create_texts(self._database, columns=self._file_columns)
            self._checks.prepare()
            self._is_prepared = True

    @property
    def _source(self) -> RowSource:
        """The records with the types of the target."""
        values = sql.SQL(", ").join(
            sql.SQL("{}::{} AS {}").format(column.text, column.type, column.name) for column in self._columns
        )
        relation = sql.SQL("(SELECT record_no, {} FROM {})").format(values, TEXTS)
        return RowSource(relation=relation, columns=[column.target.name for column in self._columns])

    def _insert(self, condition: sql.Composable) -> sql.Composed:
        if not self._into_rows:
            return insert(self._target.identifier, self._source, condition)
        numbered = RowSource(relation=self._source.relation, columns=["record_no", *self._source.columns])
        return insert(record_tables.ROWS, numbered, condition)


def _reject(split: SplitRecords, number: int, problems: Sequence[Problem]) -> Reject:
    at = bisect_left(split.numbers, number)
    raw = split.records[at][:MAX_RAW_BYTES]
    return Reject(line_no=split.lines[at], record_no=number, raw=raw, problems=problems)
