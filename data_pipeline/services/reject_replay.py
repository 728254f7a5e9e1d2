"""Loads rejected records again, as a load of their own.

They are corrected in a file, or taken as they are.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TypeVar

from django.db import DEFAULT_DB_ALIAS

from data_pipeline import conf
from data_pipeline.correction_errors import NothingReplayed, RejectsChanged, RejectsNotReplayable
from data_pipeline.domain.correction_files import RejectedRecord, Values, csv_record, kept_nulls, read_corrections
from data_pipeline.domain.csv_fields import find_fault, parse_fields
from data_pipeline.domain.dialects import Dialect, Mode, Pii
from data_pipeline.domain.idempotency_keys import compute_idempotency_key
from data_pipeline.domain.load_status import LoadStatus
from data_pipeline.domain.payload_meta import build_payload_meta
from data_pipeline.domain.refresh_dispatches import RefreshDispatch
from data_pipeline.domain.reject_collector import RejectCollector
from data_pipeline.domain.rejects import Problem, RejectState
from data_pipeline.models import LoadLog
from data_pipeline.postgres import kept_rejects, load_transactions
from data_pipeline.postgres.error_translation import translate_errors
from data_pipeline.services.auto_tables import dialect_of_load
from data_pipeline.services.chunk_loader import ChunkLoader
from data_pipeline.services.file_reading import FileReading
from data_pipeline.services.load_lookup import csv_format_of, file_columns, find_file_load
from data_pipeline.services.load_options import LoadOptions
from data_pipeline.services.load_planning import LoadPlan, plan_load
from data_pipeline.services.process_handle import ProcessHandle
from data_pipeline.services.process_once import process_once
from data_pipeline.storage.file_addresses import LocalAddress, resolve
from data_pipeline.structured_log import INFO, log_event
from seeder.domain.human_format import format_count
from seeder.texts import Text

NOT_REPLAYABLE = Text("none of its rows is in a table. Correct its file, and load that")

SOURCE = "ingest.replay"
Corrections = Mapping[int, Mapping[str, str | None]]  # values of columns, by record number; others stay as they are
_Correction = TypeVar("_Correction")
# A correction adds to what the load has done. It must not delete the other rows again.
_MODES = {Mode.REPLACE: Mode.APPEND, Mode.SNAPSHOT: Mode.UPSERT}


@dataclass(frozen=True, kw_only=True, slots=True)
class ReplayedRejects:
    """What became of the open rejects of a load."""

    of_load: int
    load_id: int | None = None  # the load of the corrected records; None if there were none
    is_duplicate: bool = False  # the same correction was loaded before
    replayed: Sequence[int] = ()  # record numbers
    refused: Mapping[int, Sequence[Problem]] = field(default_factory=dict)  # still bad, by record number
    unusable: Mapping[int, str] = field(default_factory=dict)  # not tried, with the reason
    left: int = 0  # open rejects that the file does not have
    table: str | None = None
    refresh: RefreshDispatch | None = None  # of the dependent views; None if no row has changed


def replay_rejects(
    load_id: int,
    *,
    path: str | None = None,
    corrections: Corrections | None = None,
    actor: str,
    using: str = DEFAULT_DB_ALIAS,
) -> ReplayedRejects:
    """Load the open rejects of a load again.

    They are taken from a file with corrections, or with given values, otherwise as they are. The corrected records
    become rows of a load of their own, and their rejects are marked as replayed in the same commit. What is still bad
    stays open. The same correction is loaded once. Without a queue, the dependent views are refreshed in this process.
    Given values of a record that is not open any more are refused.

    Raises `RejectsNotReplayable`, `BadCorrectionFile`, `RejectsChanged`, `NothingReplayed`, or what `load_file` raises.
    """
    with translate_errors(using):
        return _RejectReplay(find_file_load(load_id, using=using), using, actor).run(path, corrections)


class _RejectReplay:
    """One replay of rejects."""

    def __init__(self, load: LoadLog, using: str, actor: str) -> None:
        if load.status not in {LoadStatus.SUCCESS, LoadStatus.SKIPPED} or load.target is None:
            raise RejectsNotReplayable(load_id=load.pk, reason=NOT_REPLAYABLE)
        self._load, self._using, self._actor, self._settings = load, using, actor, conf.load()
        self._columns, self._csv_format = file_columns(load), csv_format_of(load)
        self._plan = self._new_plan()

    def run(self, path: str | None, corrections: Corrections | None) -> ReplayedRejects:
        rejects = kept_rejects.read_rejects(self._using, self._load.pk, state=RejectState.OPEN)
        open_records = {one.record.record_no: one.record for one in rejects}
        if path is not None:
            values = read_corrections(self._read(path), self._columns, path=path)
            records, unusable = self._corrected(open_records, values, kept_nulls)
        elif corrections is not None:
            if not corrections.keys() <= open_records.keys():
                raise RejectsChanged(load_id=self._load.pk)
            records, unusable = self._corrected(open_records, corrections, self._completed)
        else:
            records, unusable = self._as_they_are(open_records)
        result = ReplayedRejects(
            of_load=self._load.pk,
            unusable=unusable,
            left=len(open_records) - len(records) - len(unusable),
            table=self._load.target,
        )
        return self._run(records, result, path) if records else result

    def _read(self, path: str) -> str:
        address = resolve(path, roots=self._settings.ingest_roots)
        artefact, _ = FileReading(address, Dialect(name="csv"), self._settings).open()
        with artefact:
            return b"".join(iter(lambda: artefact.read(1 << 20), b"")).decode()

    def _as_they_are(self, records: Mapping[int, RejectedRecord]) -> tuple[dict[int, bytes], dict[int, str]]:
        usable, unusable = dict[int, bytes](), dict[int, str]()
        for number, one in records.items():
            fault = find_fault(one.raw, self._csv_format, columns=len(self._columns))
            if one.is_shortened:
                unusable[number] = Text("only its beginning is kept. Correct its file, and load that")
            elif fault is not None:
                unusable[number] = fault.reason
            elif (hashed := self._hashed_column(parse_fields(one.raw, self._csv_format), None)) is not None:
                unusable[number] = _hashed_text(hashed)
            else:
                usable[number] = one.raw
        return usable, unusable

    def _completed(self, given: Mapping[str, str | None], original: Values) -> Values:
        return [given.get(name, before) for name, before in zip(self._columns, original, strict=True)]

    def _corrected(
        self,
        records: Mapping[int, RejectedRecord],
        corrections: Mapping[int, _Correction],
        complete: Callable[[_Correction, Values], Values],
    ) -> tuple[dict[int, bytes], dict[int, str]]:
        usable, unusable = dict[int, bytes](), dict[int, str]()
        for number, correction in sorted(corrections.items()):
            if number not in records:
                continue
            original = records[number].values(self._csv_format, columns=len(self._columns))
            values = complete(correction, original)
            if (hashed := self._hashed_column(values, original)) is not None:
                unusable[number] = _hashed_text(hashed)
            else:
                usable[number] = csv_record(values, self._csv_format)
        return usable, unusable

    def _hashed_column(self, values: Values, original: Values | None) -> str | None:
        """Return a column that still has a hash instead of its value.

        It would be hashed again.
        """
        for column in self._plan.columns:
            if column.position >= len(values):  # that of rescued values
                continue
            value = values[column.position]
            is_kept = original is None or value == original[column.position]
            if column.declared.pii is Pii.HASH and value and is_kept:
                return self._columns[column.position]
        return None

    def _run(self, records: Mapping[int, bytes], result: ReplayedRejects, path: str | None) -> ReplayedRejects:
        content = b"".join(b"%b\n" % one for one in (self._header, *records.values()))
        key = compute_idempotency_key(
            payload=content, extra={"of_load": self._load.pk, "records": list(records), "table": self._load.target}
        )
        meta = build_payload_meta(
            extra={
                "source_uri": self._load.payload_meta["source_uri"],
                "corrections": path,
                "target_table": self._load.target,
                "of_load": self._load.pk,
                "mode": self._plan.mode,
                "rows": len(records),
            }
        )
        with process_once(
            self._using,
            source=SOURCE,
            payload_meta=meta,
            idempotency_key=key,
            wait=timedelta(seconds=self._settings.lock_wait_s),
            refresh_here=True,
        ) as handle:
            refused = {} if handle is None else self._load_records(handle, list(records), content)
        if handle is None:
            earlier = LoadLog.objects.using(self._using).get(source=SOURCE, idempotency_key=key)
            return replace(result, load_id=earlier.pk, is_duplicate=True)
        replayed = [number for number in records if number not in refused]
        log_event(
            INFO,
            "rejects_replayed",
            of_load=self._load.pk,
            load_id=handle.load_id,
            replayed=len(replayed),
            refused=len(refused),
        )
        return replace(result, load_id=handle.load_id, replayed=replayed, refused=refused, refresh=handle.refresh)

    def _load_records(
        self, handle: ProcessHandle, numbers: Sequence[int], content: bytes
    ) -> Mapping[int, Sequence[Problem]]:
        """Load the records, and mark their rejects. Return the problems of those that are still bad."""
        load_id = self._load.pk
        if not kept_rejects.keep_from_undo(self._using, load_id):
            raise RejectsNotReplayable(load_id=load_id, reason=Text("it was undone meanwhile"))
        if kept_rejects.lock_open(self._using, load_id, numbers) != sorted(numbers):
            raise RejectsChanged(load_id=load_id)
        load_transactions.begin_loading(self._using)
        rejects = RejectCollector(max_kept=len(numbers))
        with _file_of(content) as address:
            self._load_file(handle, self._reading(address), rejects)
        refused = {numbers[one.record_no - 1]: one.problems for one in rejects.kept}
        replayed = [number for number in numbers if number not in refused]
        if not replayed:
            raise NothingReplayed(
                records=format_count(len(numbers), "record"),
                load_id=load_id,
                record=numbers[0],
                problem=refused[numbers[0]][0].reason,
            )
        kept_rejects.mark_replayed(self._using, load_id, replayed, replayed_by=handle.load_id, actor=self._actor)
        return refused

    def _load_file(self, handle: ProcessHandle, reading: FileReading, rejects: RejectCollector) -> None:
        artefact, chunks = reading.open()
        with artefact:
            chunks.header()
            loading = ChunkLoader(
                self._using,
                artefact,
                chunks,
                self._plan,
                csv_format=reading.csv_format(chunks),
                load_id=handle.load_id,
                rejects=rejects,
                reopen=reading.reopen,
                on_progress=lambda _: None,
            )
            handle.add_counts(loading.run())
            handle.update_meta(loading.normalizing_meta())
        name = self._plan.target.name
        handle.target, handle.changed_relations = str(name), [(name.schema, name.name)]

    @property
    def _header(self) -> bytes:
        return csv_record(self._columns, self._csv_format)

    def _new_plan(self) -> LoadPlan:
        mode = Mode(self._load.payload_meta.get("mode", Mode.APPEND))
        return plan_load(
            self._using,
            self._header,
            address=LocalAddress(path=Path(self._load.payload_meta["source_uri"])),
            dialect=self._dialect,
            options=LoadOptions(table=self._load.target or "auto", mode=_MODES.get(mode, mode), max_reject_ratio=1.0),
            settings=self._settings,
        )

    @property
    def _dialect(self) -> Dialect:
        """The dialect in whose format the load's rejects are kept."""
        return replace(
            dialect_of_load(self._load.payload_meta, self._columns, self._settings),
            delimiter=self._csv_format.delimiter.decode(),
            quote=self._csv_format.quote.decode(),
            encoding=None,
            sheet=None,
        )

    def _reading(self, address: LocalAddress) -> FileReading:
        return FileReading(address, self._dialect, self._settings)


def _hashed_text(column: str) -> Text:
    return Text("its column {column!r} is kept as a hash only. Enter the value in a file of corrections", column=column)


@contextmanager
def _file_of(content: bytes) -> Iterator[LocalAddress]:
    """Write a temporary file, which only this user can read."""
    with NamedTemporaryFile(prefix="corrections-", suffix=".csv") as file:
        file.write(content)
        file.flush()
        yield LocalAddress(path=Path(file.name).resolve())
