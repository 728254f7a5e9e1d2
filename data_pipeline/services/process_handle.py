"""The handle of a load in a `process_once` block."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from data_pipeline.domain.dialects import Mode
from data_pipeline.domain.load_counts import LoadCounts
from data_pipeline.domain.payload_meta import build_payload_meta
from data_pipeline.domain.refresh_dispatches import RefreshDispatch
from data_pipeline.domain.rejects import Reject
from data_pipeline.postgres.load_log import Claim
from data_pipeline.services.record_loading import load_records


class ProcessHandle:
    """The claimed load of a `process_once` block. Everything on its connection commits with the load."""

    def __init__(self, database: str, claimed: Claim, *, source: str, idempotency_key: str) -> None:
        self.database, self.source, self.idempotency_key = database, source, idempotency_key
        self.load_id, self.attempts = claimed.load_id, claimed.attempts
        self.counts = LoadCounts()
        self.target: str | None = None  # the loaded table, with its schema
        self.content_blake2b: str | None = None
        self.changed_relations: list[tuple[str, str]] = []  # schema and name of tables whose views are to be refreshed
        self.refresh: RefreshDispatch | None = None  # of their views; None before the commit, and if no row changed
        self.after_failure: Callable[[BaseException], None] = keep_nothing  # commits with the status failed
        self.rejects: list[Reject] = []  # of `load`
        self._meta: dict[str, Any] = {}

    @property
    def connection(self) -> BaseDatabaseWrapper:
        """Django's connection, inside the transaction of the load."""
        return connections[self.database]

    session = connection

    @property
    def requested_refresh(self) -> list[tuple[str, str]] | None:
        """The tables whose views the load changes.

        None without a changed row.
        """
        return self.changed_relations if self.changed_relations and self.counts.has_changed_rows else None

    def update_meta(self, meta: Mapping[str, Any] | None = None, **facts: Any) -> None:
        """Add facts to `payload_meta`. They are written with the outcome.

        Raises `TypeError` for a value that cannot be stored.
        """
        self._meta.update(build_payload_meta(extra={**(meta or {}), **facts}))

    def load(  # noqa: PLR0913  # the options of a load
        self,
        rows: Iterable[Any],
        *,
        into: str,
        key: Sequence[str] = (),
        mode: str | None = None,
        columns: Sequence[str] | None = None,
        parse: Callable[[Any], Any] | None = None,
        max_rejects: int | None = None,
        max_reject_ratio: float | None = None,
    ) -> LoadCounts:
        """Load records into a table, in bounded memory. Returns their counts, and adds them to the load's.

        A record is a mapping, a dataclass, a named tuple, or a sequence of the values of `columns`. The first one
        decides the columns, if they are not given. `mode` is that of `load_file`: by default upsert with a `key`, and
        append without one. Rejected records are kept as JSON, with their number as the line. `parse` turns each record
        into a row of `columns`, and rejects it by `BadRow`, as a `RowModel` does, or by `RecordRefused`.

        Raises `TooManyRejects`, `BadRecord`, `NothingToReplaceWith`, `HeaderRefused` or `TargetError`.
        """
        return load_records(
            self,
            rows,
            into=into,
            key=key,
            mode=Mode(mode) if mode else None,
            columns=columns,
            parse=parse,
            max_rejects=max_rejects,
            max_reject_ratio=max_reject_ratio,
        )

    def add_counts(self, counts: LoadCounts) -> None:
        """Add the counts of a part of the load."""
        added = counts.as_columns()
        known = {
            name: (value or 0) + (added[name] or 0)
            for name, value in self.counts.as_columns().items()
            if value is not None or added[name] is not None
        }
        self.counts = replace(self.counts, **known)

    def pending_meta(self) -> Mapping[str, Any]:
        return self._meta


def keep_nothing(_: BaseException) -> None:
    """Keep nothing of a failed load."""
