"""Verifies a load.

Its artefact is read again, and compared with the recorded hash and with the rows in the table.
"""

from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from typing import Any

from django.db import DEFAULT_DB_ALIAS

from data_pipeline import conf
from data_pipeline.artefact_errors import ArtefactError
from data_pipeline.correction_errors import NotVerifiable
from data_pipeline.dialect_errors import ReferenceChanged
from data_pipeline.domain.dialects import Mode
from data_pipeline.domain.load_status import LoadStatus
from data_pipeline.domain.reject_collector import RejectCollector
from data_pipeline.domain.verifications import ArtefactState, RowsState, Verification
from data_pipeline.errors import PipelineError
from data_pipeline.models import LoadLog
from data_pipeline.postgres import load_transactions, row_versions, target_tables, verifying
from data_pipeline.postgres.error_translation import translate_errors
from data_pipeline.postgres.target_tables import TargetTable
from data_pipeline.postgres.verifying import RowComparison
from data_pipeline.services.auto_tables import dialect_of_load
from data_pipeline.services.chunk_loader import ChunkLoader, ProgressListener
from data_pipeline.services.file_reading import FileReading
from data_pipeline.services.load_lookup import csv_format_of, file_columns, find_file_load, given_options
from data_pipeline.services.load_options import LoadOptions
from data_pipeline.services.load_planning import plan_load
from data_pipeline.storage.addresses import Address, open_source, resolve
from data_pipeline.structured_log import INFO, WARNING, log_event
from seeder.domain.view_names import ViewName
from seeder.errors import SeederError
from seeder.postgres.transactions import atomic, rolled_back_atomic
from seeder.texts import Text


def verify_load(
    load_id: int,
    *,
    actor: str,
    using: str = DEFAULT_DB_ALIAS,
    on_progress: ProgressListener = lambda _: None,
) -> Verification:
    """Compare the artefact of a load with its hash and its rows.

    The artefact is copied into a staging table, as by a load. Only columns of the file are compared, and only rows of a
    tracked table. The result is written to the audit. Raises `UnknownLoad`, `NotFileLoad` or `NotVerifiable`.
    """
    with translate_errors(using):
        result = _Verifying(find_file_load(load_id, using=using), using, on_progress).run()
        with atomic(using):
            verifying.record(using, load_id, artefact=result.artefact, rows=result.rows, actor=actor)
    level = INFO if result.is_proved else WARNING
    log_event(level, "load_verified", load_id=load_id, table=result.table, artefact=result.artefact, rows=result.rows)
    return result


class _Verifying:
    """The verification of one load."""

    def __init__(self, load: LoadLog, using: str, on_progress: ProgressListener) -> None:
        if load.status not in {LoadStatus.SUCCESS, LoadStatus.SKIPPED} or load.target is None:
            raise NotVerifiable(load_id=load.pk)
        self._load, self._table, self._using = load, load.target, using
        self._on_progress, self._settings = on_progress, conf.load()
        self._recorded = (load.rows_inserted or 0) + (load.rows_updated or 0)

    def run(self) -> Verification:
        address, facts = self._artefact()
        try:
            target = target_tables.describe(self._using, ViewName.parse(self._table))
        except SeederError as error:
            return self._result(facts, rows=RowsState.UNKNOWN, reason=str(error))
        if not target.is_tracked:
            reason = Text("the rows of {table} have no load id", table=self._table)
            return self._result(facts, rows=RowsState.UNKNOWN, reason=reason)
        with rolled_back_atomic(self._using):
            return self._result(facts, **self._rows(target, address))

    def _artefact(self) -> tuple[Address | None, dict[str, Any]]:
        """Return the address of the unchanged artefact, and what was found."""
        try:
            address = resolve(self._load.payload_meta["source_uri"], self._settings)
            with closing(open_source(address)) as source:
                source.hash_rest()
                found = source.content_blake2b
        except ArtefactError as error:
            return None, {"artefact": ArtefactState.UNREADABLE, "artefact_problem": str(error)}
        if found != self._load.content_blake2b:
            return None, {"artefact": ArtefactState.CHANGED, "found_blake2b": found}
        return address, {"artefact": ArtefactState.EQUAL, "found_blake2b": found}

    def _rows(self, target: TargetTable, address: Address | None) -> dict[str, Any]:
        found = verifying.count_rows(self._using, target, self._load.pk)
        if self._recorded and not found and row_versions.has_rows_without_id(self._using, target, self._load.pk):
            reason = Text("the rows of {table} had no load id before it was tracked", table=self._table)
            return {"rows": RowsState.UNKNOWN, "reason": reason}
        facts: dict[str, Any] = {"rows": RowsState.CHANGED, "rows_found": found}
        if found != self._recorded:
            facts["later_loads"] = verifying.later_loads(self._using, target, self._load.pk)
        if address is None:
            unknown = {
                "rows": RowsState.UNKNOWN,
                "reason": Text("the artefact of the load is not there to compare them with"),
            }
            return facts if found != self._recorded else facts | unknown
        try:
            comparison = self._staged(target, address)
        except PipelineError as error:
            return facts | {"rows": RowsState.UNKNOWN, "reason": str(error)}
        if comparison is None:
            reason = Text("only a part of its rejects was kept, so that its good records are not known")
            return facts | {"rows": RowsState.UNKNOWN, "reason": reason}
        if comparison.is_equal():
            return facts | ({"rows": RowsState.EQUAL} if found == self._recorded else {"rows_different": 0})
        return facts | {"rows_different": comparison.count_different()}

    def _staged(self, target: TargetTable, address: Address) -> RowComparison | None:
        """Copy the artefact into `ROWS`, without its rejects. Return None if they are not all known."""
        meta, csv_format = self._load.payload_meta, csv_format_of(self._load)
        dialect = replace(
            dialect_of_load(meta, file_columns(self._load), self._settings),
            delimiter=csv_format.delimiter.decode(),
            quote=csv_format.quote.decode(),
        )
        sheet = given_options(self._load).get("sheet")
        reading = FileReading(address, dialect, self._settings, sheet=sheet)
        artefact, chunks = reading.open()
        with artefact:
            header = chunks.header()
            load_transactions.begin_loading(self._using)
            plan = plan_load(
                self._using,
                header,
                address=address,
                dialect=reading.dialect,
                options=LoadOptions(table=self._table, mode=Mode(self._load.payload_meta.get("mode", Mode.APPEND))),
                settings=self._settings,
            )
            loading = ChunkLoader(
                self._using,
                artefact,
                chunks,
                replace(plan, mode=Mode.REPLACE),
                csv_format=reading.csv_format(chunks),
                load_id=self._load.pk,
                rejects=RejectCollector(max_kept=0),
                reopen=reading.reopen,
                on_progress=self._on_progress,
            )
            loading.stage()
        self._require_same_references(loading.normalizing_meta().get("references", {}))
        if verifying.leave_out_rejects(self._using, self._load.pk) < (self._load.rows_rejected or 0):
            return None
        columns = [one.target.name for one in plan.columns]
        return RowComparison(self._using, target, self._load.pk, columns=columns, key=plan.key)

    def _require_same_references(self, hashes: Mapping[str, str]) -> None:
        recorded = self._load.payload_meta.get("references", {})
        for lookup, found in hashes.items():
            if recorded.get(lookup) != found:
                raise ReferenceChanged(lookup=lookup)

    def _result(self, facts: dict[str, Any], **rows: Any) -> Verification:
        return Verification(
            load_id=self._load.pk,
            table=self._table,
            source_uri=self._load.payload_meta["source_uri"],
            recorded_blake2b=self._load.content_blake2b,
            rows_recorded=self._recorded,
            **facts,
            **rows,
        )
