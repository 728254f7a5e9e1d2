"""Loads the good records of a refused chunk, and explains the others."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import Protocol

from psycopg import sql

from data_pipeline.domain.csv_records import SplitRecords
from data_pipeline.domain.rejects import MAX_RAW_BYTES, Problem, Reject
from data_pipeline.postgres import staging_tables
from data_pipeline.postgres.constraint_violations import ViolationSearch
from data_pipeline.postgres.row_sets import RowSet
from data_pipeline.postgres.row_skipping import RowSkippingStatement, insert
from data_pipeline.postgres.target_tables import TargetTable
from data_pipeline.postgres.untranslatable_records import find_untranslatable


class StagedRecords(Protocol):
    """A staging table that finds the records with unacceptable values.

    Its implementations are `TextRecords` and `TypedRecords`.
    """

    def fill(self, split: SplitRecords) -> Mapping[int, Sequence[Problem]]:
        """Replace the records by the good ones of others. Return the problems of the bad ones, by record number."""

    @property
    def source(self) -> RowSet:
        """The rows of the good records."""


class RefusedChunkLoader:
    """Loads refused chunks into the target, or into `ROWS`."""

    def __init__(self, database: str, target: TargetTable, records: StagedRecords, *, into_rows: bool) -> None:
        self._database, self._target, self._records, self._into_rows = database, target, records, into_rows
        self._search = ViolationSearch(database, target)

    def load(self, split: SplitRecords) -> tuple[int, list[Reject]]:
        """Load well-formed records. Return the number of loaded rows and the rejected records."""
        if not split.records:
            return 0, []
        untranslatable = find_untranslatable(self._database, split)
        translatable = split.pick(set(split.numbers) - untranslatable.keys()) if untranslatable else split
        count, refused = self._load_translatable(translatable) if translatable.records else (0, {})
        problems = refused | {number: [problem] for number, problem in untranslatable.items()}
        return count, [_reject(split, number, problems[number]) for number in sorted(problems)]

    def _load_translatable(self, split: SplitRecords) -> tuple[int, dict[int, list[Problem]]]:
        problems = {number: list(found) for number, found in self._records.fill(split).items()}
        result = RowSkippingStatement(
            self._database,
            self._records.source,
            search=self._search,
            build=self._insert,
        ).run()
        return result.count, problems | result.refused

    def _insert(self, source: RowSet) -> sql.Composed:
        if self._into_rows:
            return insert(staging_tables.ROWS, source, with_numbers=True)
        return insert(self._target.identifier, source)


def _reject(split: SplitRecords, number: int, problems: Sequence[Problem]) -> Reject:
    at = bisect_left(split.numbers, number)
    raw = split.records[at][:MAX_RAW_BYTES]
    return Reject(line_no=split.lines[at], record_no=number, raw=raw, problems=problems)
