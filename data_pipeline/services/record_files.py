"""Loads uploaded records: a file with one JSON object in each line."""

from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any

from django.db import DEFAULT_DB_ALIAS

from data_pipeline import conf
from data_pipeline.domain.idempotency_keys import compute_idempotency_key, forced_key
from data_pipeline.domain.json_lines import parse_record, read_lines, require_columns
from data_pipeline.domain.load_counts import LoadCounts
from data_pipeline.domain.load_status import LoadStatus
from data_pipeline.domain.payload_meta import build_payload_meta
from data_pipeline.domain.refused_records import RecordRefused
from data_pipeline.models import LoadLog
from data_pipeline.postgres import target_tables
from data_pipeline.postgres.error_translation import translate_errors
from data_pipeline.services.load_options import Loaded, LoadOptions
from data_pipeline.services.load_planning import find_table
from data_pipeline.services.process_handle import ProcessHandle
from data_pipeline.services.process_once import process_once
from data_pipeline.storage.addresses import Address, open_source, resolve

SOURCE = "ingest.records"


def load_record_file(  # noqa: PLR0913  # facts of one load
    source_uri: str,
    options: LoadOptions,
    *,
    using: str = DEFAULT_DB_ALIAS,
    task_id: str | None = None,
    forced_at: datetime | None = None,
    refresh_here: bool = True,
) -> Loaded:
    """Load the records of a file into a table, exactly once.

    A record that is no object of the table's columns is rejected. Names that a record lacks are NULL. Raises what
    `ProcessHandle.load` raises.
    """
    with translate_errors(using):
        load = _RecordFile(resolve(source_uri, conf.load()), options, using, forced_at or datetime.now(UTC))
        return load.run(task_id, refresh_here=refresh_here)


def key_of_records(content_blake2b: str, table: str) -> str:
    """Return the idempotency key of records, by their bytes."""
    return compute_idempotency_key(payload=content_blake2b, extra={"records": table})


class _RecordFile:
    """One call of `load_record_file`."""

    def __init__(self, address: Address, options: LoadOptions, using: str, forced_at: datetime) -> None:
        self._address, self._options, self._using = address, options, using
        self._forced_at, self._started_at = forced_at, monotonic()

    def run(self, task_id: str | None, *, refresh_here: bool) -> Loaded:
        key, meta = self._identity()
        wait = timedelta(seconds=conf.load().lock_wait_s)
        identity: dict[str, Any] = {"source": SOURCE, "payload_meta": meta, "idempotency_key": key, "task_id": task_id}
        with process_once(self._using, **identity, wait=wait, refresh_here=refresh_here) as handle:
            if handle is not None:
                self._load(handle)
        row = LoadLog.objects.using(self._using).get(source=SOURCE, idempotency_key=key)
        facts: dict[str, Any] = {"status": LoadStatus(row.status), "target": row.target, "counts": LoadCounts()}
        if handle is not None:
            facts |= {"counts": handle.counts, "rejects": handle.rejects[:20], "refresh": handle.refresh}
        return Loaded(
            load_id=row.pk,
            source_uri=self._address.uri,
            duration=timedelta(seconds=monotonic() - self._started_at),
            size_bytes=self._address.size,
            **facts,
        )

    def _identity(self) -> tuple[str, Mapping[str, Any]]:
        options = self._options
        facts = {
            "source_uri": self._address.uri,
            "target_table": options.table,
            "dialect": "records",
            "force": options.force,
            "options": options.as_given(),
            **({"of_load": options.of_load} if options.of_load else {}),
        }
        meta = build_payload_meta(**self._address.identity(), extra=facts)
        key = options.key or key_of_records(self._content_hash(), options.table)
        if not options.force:
            return key, meta
        overrides = {"mode": options.mode, "max_rejects": options.max_rejects}
        forced = {"of_key": key, "forced_at": self._forced_at.isoformat()}
        return forced_key(key, overrides, self._forced_at), meta | forced

    def _content_hash(self) -> str:
        with closing(open_source(self._address)) as source:
            source.hash_rest()
            return source.content_blake2b

    def _load(self, handle: ProcessHandle) -> None:
        name = find_table(self._using, self._options.table, conf.load())
        handle.target = str(name)  # a load that fails belongs to its table, too
        known = [column.name for column in target_tables.describe(self._using, name).data_columns]
        columns = self._columns(known)
        with closing(open_source(self._address)) as source:
            handle.load(
                read_lines(source.read),
                into=self._options.table,
                mode=self._options.mode,
                columns=columns,
                parse=lambda line: _record(line, known),
                max_rejects=self._options.max_rejects,
                max_reject_ratio=self._options.max_reject_ratio,
            )
            handle.content_blake2b = source.content_blake2b
            handle.update_meta(columns=columns, rows=handle.counts.rows_in, file_sha256=source.file_sha256)

    def _columns(self, known: list[str]) -> list[str]:
        """Return the table's columns that the good records have."""
        with closing(open_source(self._address)) as source:
            found = {name for record in _good_records(source.read, known) for name in record}
        return [name for name in known if name in found] or known[:1]


def _record(line: bytes, known: list[str]) -> Mapping[str, Any]:
    record = parse_record(line)
    require_columns(record, known)
    return record


def _good_records(read: Any, known: list[str]) -> Iterator[Mapping[str, Any]]:
    for line in read_lines(read):
        try:
            yield _record(line, known)
        except RecordRefused:
            continue
