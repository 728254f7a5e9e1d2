"""Loads the chunks of an open artefact into a table.

PostgreSQL accepts or refuses each chunk as a whole, from its bytes as they are. Only a chunk that it refuses, or that
COPY would change silently, is split into records. Then every record that it does not accept is kept with PostgreSQL's
reasons.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

from django.db import Error

from data_pipeline.domain import silent_changes
from data_pipeline.domain.csv_chunks import Chunk, RecordChunks
from data_pipeline.domain.csv_fields import CsvFormat
from data_pipeline.domain.csv_records import SplitRecords, count_records
from data_pipeline.domain.dialects import Mode
from data_pipeline.domain.load_counts import LoadCounts
from data_pipeline.domain.load_progress import LoadProgress
from data_pipeline.domain.reject_collector import RejectCollector
from data_pipeline.domain.rejects import MAX_RAW_BYTES, Problem, Reject
from data_pipeline.errors import KeysUnreadable, TooManyRejects
from data_pipeline.postgres import copying, merging, staging_tables
from data_pipeline.postgres.normalized_texts import NormalizedTexts
from data_pipeline.postgres.refused_chunks import RefusedChunkLoader, StagedRecords
from data_pipeline.postgres.text_records import TextRecords
from data_pipeline.postgres.typed_records import TypedRecords, can_skip_bad_values
from data_pipeline.services.csv_source import CsvSource
from data_pipeline.services.load_planning import LoadPlan
from data_pipeline.services.record_reading import split_chunk
from seeder.postgres.sqlstates import sqlstate
from seeder.texts import Text

_MANY_REJECTS = 10  # of a chunk: PostgreSQL would refuse the next one, too
ProgressListener = Callable[[LoadProgress], None]
RejectFacts = Mapping[str, str]  # what an error shows of a reject


def _facts_of_line(reject: Reject) -> RejectFacts:
    return {"place": Text("in line {line}", line=reject.line_no), "problem": reject.problems[0].reason}


class ChunkLoader:
    """The load of one artefact, inside its transaction.

    `run` returns its counts. `rejects` has the rejected records, also after an error.
    """

    def __init__(  # noqa: PLR0913  # facts of one load
        self,
        database: str,
        artefact: CsvSource,
        chunks: RecordChunks,
        plan: LoadPlan,
        *,
        csv_format: CsvFormat,
        load_id: int,
        rejects: RejectCollector,
        reopen: Callable[[], tuple[CsvSource, RecordChunks]],
        on_progress: ProgressListener,
    ) -> None:
        self._database, self._artefact, self._chunks, self._plan = database, artefact, chunks, plan
        self._csv_format, self._load_id, self._rejects = csv_format, load_id, rejects
        self._reopen, self._on_progress = reopen, on_progress
        self._records = self._loaded = 0
        self._expects_rejects = False
        self._rejected_keys: frozenset[int] | None = None  # record numbers; None if rejects delete no rows
        self._guard = copying.changing_date_guard([one.target for one in plan.columns])
        self._masking, self._normalized = plan.masking(csv_format), self._new_normalized()
        # COPY cannot check policies, and a parent can be in a later chunk.
        self._is_staged = plan.mode is not Mode.APPEND or plan.target.has_row_security or plan.target.is_own_parent
        self._kept_key = [one for one in plan.columns if plan.mode is Mode.SNAPSHOT and one.target.name in plan.key]
        self._searches_words = any(one.target.reads_date_words and not one.target.is_date for one in plan.columns)

    def run(self) -> LoadCounts:
        """Load all chunks, and merge them. Raises database errors that are not about a row, and `ArtefactError`."""
        if self._is_staged:
            staging_tables.create_rows(self._database, self._plan.columns)
        if self._kept_key:
            staging_tables.create_rejected_keys(self._database, self._kept_key)
        for chunk in self._chunks:
            self._load_chunk(chunk)
            if self._plan.limits.surely_exceeded(rejected=self._rejects.count):
                break
            self._on_progress(self._progress())
            del chunk  # its memory is free before the next one is read
        if not self._is_staged or self._plan.limits.surely_exceeded(rejected=self._rejects.count):
            return self._counts(
                LoadCounts(rows_inserted=self._loaded, rows_updated=0, rows_unchanged=0, rows_deleted=0)
            )
        self._on_progress(replace(self._progress(), is_merging=True))
        result = merging.merge(
            self._database,
            merging.Merge(
                target=self._plan.target,
                columns=self._plan.columns,
                mode=self._plan.mode,
                key=self._plan.key,
                rows=self._loaded,
                load_id=self._load_id,
                keeps_old_rows=self._plan.keeps_old_rows,
            ),
        )
        self._add_refused(result.refused)
        if self._kept_key:
            self._rejected_keys = result.rejected_keys
        return self._counts(result.counts)

    def require_limits(self, facts_of: Callable[[Reject], RejectFacts] = _facts_of_line) -> None:
        """Raise `TooManyRejects` or `KeysUnreadable`.

        The second one if a snapshot may have deleted rows of rejected records.
        """
        first, limits = self._rejects.first, self._plan.limits
        if first is None:
            return
        rejected = self._rejects.count
        if limits.exceeded(rejected=rejected, records=self._records):
            raise TooManyRejects(
                rejected=rejected,
                records=self._records,
                limit=limits.text,
                load_id=self._load_id,
                **facts_of(first),
            )
        if self._rejected_keys is not None and rejected > len(self._rejected_keys):
            unreadable = (one for one in self._rejects.kept if one.record_no not in self._rejected_keys)
            shown = next(unreadable, first)
            raise KeysUnreadable(
                unreadable=rejected - len(self._rejected_keys),
                rejected=rejected,
                load_id=self._load_id,
                **facts_of(shown),
            )

    def stage(self) -> None:
        """Copy all rows into `ROWS` only. Not for the mode append, which has no such table."""
        staging_tables.create_rows(self._database, self._plan.columns)
        for chunk in self._chunks:
            self._load_chunk(chunk)
            self._on_progress(self._progress())

    def normalizing_meta(self) -> Mapping[str, Any]:
        """Return the figures of normalizing, for `payload_meta`.

        They are the number of records, refused values by reason, and hashes of references.
        """
        if self._normalized is None:
            return {}
        meta = {"rows_normalized": self._normalized.records, "normalize_errors": dict(self._normalized.errors)}
        return meta | ({"references": self._normalized.references} if self._normalized.references else {})

    def _new_normalized(self) -> NormalizedTexts | None:
        if self._plan.normalizing is None:
            return None
        return NormalizedTexts(
            self._database,
            self._plan.columns,
            self._plan.normalizing,
            csv_format=self._csv_format,
            file_columns=self._plan.file_columns,
        )

    def _counts(self, merged: LoadCounts) -> LoadCounts:
        return replace(merged, rows_in=self._records, rows_rejected=self._rejects.count)

    def _progress(self) -> LoadProgress:
        return LoadProgress(
            bytes_read=self._artefact.position,
            bytes_total=self._artefact.size,
            records=self._records,
            rejected=self._rejects.count,
        )

    def _load_chunk(self, chunk: Chunk) -> None:
        count = self._copied(chunk)
        if count is None:
            self._chunks.shrink()
            split = self._split(self._chunks, chunk, self._records + 1)
            count, refused = self._refused_chunks.load(split)
            rejects = sorted([*split.rejects, *refused], key=lambda one: one.record_no)
            self._rejects.add([self._in_file(one) for one in rejects])
            self._expects_rejects = len(rejects) >= _MANY_REJECTS
            self._records += split.count
            self._continue_numbers()
        else:
            # A trigger can keep rows out.
            has_triggers = self._plan.target.has_row_triggers and not self._is_staged
            records = count_records(chunk.data, self._csv_format) if has_triggers else count
            if self._csv_format.quote not in chunk.data:
                self._chunks.skip_lines(records)
            self._records += records
        self._loaded += count

    def _copied(self, chunk: Chunk) -> int | None:
        """Copy the bytes of a chunk as they are. Return the number of rows.

        None means that the chunk must be split.
        """
        data = chunk.data
        if chunk.is_too_long or self._expects_rejects or silent_changes.may_lose_bytes(data, self._csv_format):
            return None
        if self._plan.normalizing is not None and self._plan.normalizing.may_change(data, self._csv_format):
            return None
        if self._searches_words and self._has_changing_word(data):
            return None
        outcome = self._copy(data, is_guarded=not self._searches_words)
        if isinstance(outcome, Error) and sqlstate(outcome) == copying.GUARD_STATE and not self._searches_words:
            # The chunk has a date near today, as a day's new data have.
            self._searches_words = True
            if self._has_changing_word(data):
                return None
            outcome = self._copy(data, is_guarded=False)
        return None if isinstance(outcome, Error) else outcome

    def _copy(self, data: bytes, *, is_guarded: bool) -> int | Error:
        relation = self._plan.target.identifier
        if self._is_staged:
            relation = staging_tables.ROWS
        statement = copying.copy_statement(
            relation,
            self._file_order,
            self._csv_format,
            guard=self._guard if is_guarded else None,
        )
        outcome = copying.attempt_copy(self._database, statement, copying.pieces_of(data))
        if isinstance(outcome, Error):
            self._continue_numbers()
        return outcome

    def _continue_numbers(self) -> None:
        """Number the next row by its record.

        Refused rows have taken numbers, and malformed records have none.
        """
        if self._is_staged:
            staging_tables.continue_numbers(self._database, self._records + 1)

    @property
    def _file_order(self) -> Sequence[str]:
        return [one.target.name for one in sorted(self._plan.columns, key=lambda one: one.position)]

    @cached_property
    def _refused_chunks(self) -> RefusedChunkLoader:
        plan, records = self._plan, self._staged_records()
        return RefusedChunkLoader(self._database, plan.target, records, into_rows=self._is_staged)

    def _staged_records(self) -> StagedRecords:
        plan = self._plan
        texts = TextRecords(
            self._database,
            plan.columns,
            target=plan.target,
            csv_format=self._csv_format,
            file_columns=plan.file_columns,
            normalized=self._normalized,
            kept_key=self._kept_key,
        )
        if self._normalized is None and can_skip_bad_values(self._database, plan.columns, plan.file_columns):
            return TypedRecords(self._database, plan.columns, texts, csv_format=self._csv_format)
        return texts

    def _has_changing_word(self, data: bytes) -> bool:
        positions = {one.position for one in self._plan.columns if one.target.reads_date_words}
        return silent_changes.has_changing_word(
            data, self._csv_format, positions=positions, columns=self._plan.file_columns
        )

    def _split(self, chunks: RecordChunks, chunk: Chunk, first_number: int) -> SplitRecords:
        columns = self._plan.file_columns
        return split_chunk(chunks, chunk, self._csv_format, columns=columns, first_number=first_number)

    def _in_file(self, reject: Reject) -> Reject:
        """Return a reject without personal values, with its line in the artefact."""
        return self._masking.masked(replace(reject, line_no=self._artefact.line_of(reject.line_no)))

    def _add_refused(self, refused: Mapping[int, Sequence[Problem]]) -> None:
        """Keep records that the merge left out. Their bytes are read again, because rows do not have them."""
        if not refused:
            return
        artefact, chunks = self._reopen()
        with artefact:
            number = 1
            for chunk in chunks:
                split = self._split(chunks, chunk, number)
                self._rejects.add(
                    [
                        self._in_file(
                            Reject(line_no=line, record_no=no, raw=record[:MAX_RAW_BYTES], problems=refused[no])
                        )
                        for no, line, record in zip(split.numbers, split.lines, split.records, strict=True)
                        if no in refused
                    ]
                )
                number += split.count
