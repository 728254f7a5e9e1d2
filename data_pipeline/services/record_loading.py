"""Loads Python records in the transaction of a `process_once` block."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data_pipeline import conf
from data_pipeline.domain.correction_files import csv_record
from data_pipeline.domain.csv_chunks import RecordChunks
from data_pipeline.domain.csv_fields import CsvFormat
from data_pipeline.domain.dialects import Dialect, Mode
from data_pipeline.domain.load_counts import LoadCounts
from data_pipeline.domain.python_records import shape_of
from data_pipeline.domain.record_encoding import json_record
from data_pipeline.domain.refused_records import RefusedRecord
from data_pipeline.domain.reject_collector import RejectCollector
from data_pipeline.domain.rejects import MAX_RAW_BYTES, Reject
from data_pipeline.errors import BadRecord, NothingToReplaceWith, TooManyRejects
from data_pipeline.postgres import kept_rejects, load_transactions, staging_tables
from data_pipeline.services.chunk_loader import ChunkLoader, RejectFacts
from data_pipeline.services.csv_source import CsvSource
from data_pipeline.services.load_options import LoadOptions
from data_pipeline.services.load_planning import LoadPlan, find_table, plan_load
from data_pipeline.services.record_stream import RecordStream
from data_pipeline.storage.file_addresses import LocalAddress
from seeder.texts import Text

if TYPE_CHECKING:
    from data_pipeline.services.process_handle import ProcessHandle

_FORMAT = CsvFormat()
_MEGABYTE = 1024 * 1024
_NO_ROWS = LoadCounts(rows_in=0, rows_inserted=0, rows_updated=0, rows_unchanged=0, rows_deleted=0, rows_rejected=0)


def load_records(  # noqa: PLR0913  # the options of a load
    handle: "ProcessHandle",
    rows: Iterable[Any],
    *,
    into: str,
    key: Sequence[str] = (),
    mode: Mode | None = None,
    columns: Sequence[str] | None = None,
    parse: Callable[[Any], Any] | None = None,
    max_rejects: int | None = None,
    max_reject_ratio: float | None = None,
) -> LoadCounts:
    """Load records as `ProcessHandle.load` describes."""
    if parse is not None and columns is None:
        raise ValueError("`parse` needs `columns`, because the first record can be refused")
    mode = mode or (Mode.UPSERT if key else Mode.APPEND)
    records = iter(rows)
    first = next(records, None)
    if first is None:
        if mode in {Mode.REPLACE, Mode.SNAPSHOT}:
            raise NothingToReplaceWith(table=into, mode=mode.value)
        handle.add_counts(_NO_ROWS)
        return _NO_ROWS
    try:
        names, values = shape_of(first, columns)
    except ValueError as error:
        raise BadRecord(record=1, table=into, problem=error) from error
    options = LoadOptions(mode=mode, max_rejects=max_rejects, max_reject_ratio=max_reject_ratio)
    load_transactions.begin_loading(handle.database)
    plan = _plan(handle, names, options, into=into, key=key)
    types = {one.position: one.target.type for one in plan.columns}
    stream = RecordStream(
        chain([first], records),
        values if parse is None else lambda record: values(parse(record)),
        types=[types.get(at) for at in range(len(names))],
        table=into,
    )
    with stream:
        return _RecordLoad(handle, plan, stream).run()


def _plan(
    handle: "ProcessHandle", names: Sequence[str], options: LoadOptions, *, into: str, key: Sequence[str]
) -> LoadPlan:
    settings = conf.load()
    table = str(find_table(handle.database, into, settings))
    return plan_load(
        handle.database,
        csv_record(names, _FORMAT),
        address=LocalAddress(path=Path("the records")),
        dialect=Dialect(name="rows", target=table, key=tuple(key)),
        options=replace(options, table=table),
        settings=settings,
    )


class _RecordLoad:
    """One call of `ProcessHandle.load`."""

    def __init__(self, handle: "ProcessHandle", plan: LoadPlan, stream: RecordStream) -> None:
        self._handle, self._plan, self._stream, self._settings = handle, plan, stream, conf.load()
        self._offset = handle.counts.rows_in or 0  # records of earlier calls have the numbers before

    def run(self) -> LoadCounts:
        handle, name = self._handle, self._plan.target.name
        rejects = RejectCollector(max_kept=self._settings.keep_rejects - len(handle.rejects))
        loading = ChunkLoader(
            handle.database,
            self._stream,
            self._chunks(self._stream),
            self._plan,
            csv_format=_FORMAT,
            load_id=handle.load_id,
            rejects=rejects,
            reopen=self._reopen,
            on_progress=lambda _: None,
        )
        counts = loading.run()
        handle.add_counts(counts)
        handle.rejects.extend(self._with_records(rejects.kept))
        handle.after_failure = partial(_keep_rejects, handle)
        handle.target = handle.target or str(name)
        loading.require_limits(self._facts_of)
        kept_rejects.save_rejects(handle.database, handle.load_id, handle.rejects)
        staging_tables.drop_all(handle.database)
        if (name.schema, name.name) not in handle.changed_relations:
            handle.changed_relations.append((name.schema, name.name))
        return counts

    def _chunks(self, source: CsvSource) -> RecordChunks:
        return RecordChunks(
            source.read,
            chunk_bytes=self._settings.ingest_streaming_chunk_size_mb * _MEGABYTE,
            chunk_records=self._settings.ingest_streaming_chunk_size,
        )

    def _reopen(self) -> tuple[CsvSource, RecordChunks]:
        again = self._stream.again()
        return again, self._chunks(again)

    def _with_records(self, kept: Sequence[Reject]) -> list[Reject]:
        """Return rejects as those of records.

        The line is the number of the record, and the bytes are its JSON.
        """
        by_number = {one.record_no: one for one in kept}
        complete = []
        for number, record in enumerate(self._stream.kept() if by_number else (), start=1):
            if (reject := by_number.get(number)) is None:
                continue
            if isinstance(record, RefusedRecord):
                reject = replace(reject, raw=record.raw, problems=record.problems)
            else:
                reject = replace(reject, raw=json_record(self._plan.names, record)[:MAX_RAW_BYTES])
            at = self._offset + number
            complete.append(replace(reject, line_no=at, record_no=at))
        return complete

    def _facts_of(self, reject: Reject) -> RejectFacts:
        [complete] = self._with_records([reject])
        return {
            "place": Text("record {record}", record=complete.record_no),
            "problem": complete.problems[0].reason,
        }


def _keep_rejects(handle: "ProcessHandle", error: BaseException) -> None:
    """Keep the rejects that exceed the limit. Those of an earlier attempt are not those of this failure."""
    kept = handle.rejects if isinstance(error, TooManyRejects) else []
    kept_rejects.save_rejects(handle.database, handle.load_id, kept)
