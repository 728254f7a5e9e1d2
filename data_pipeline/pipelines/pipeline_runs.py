"""The result of one run of a pipeline."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from data_pipeline.domain.load_counts import LoadCounts
from data_pipeline.domain.refresh_dispatches import RefreshDispatch
from data_pipeline.services.process_handle import ProcessHandle


@dataclass(frozen=True, kw_only=True, slots=True)
class PipelineRun:
    """What a run has loaded."""

    source: str
    load_id: int | None = None  # None if it was loaded before
    target: str | None = None  # the table, with its schema
    counts: LoadCounts = field(default_factory=LoadCounts)
    refresh: RefreshDispatch | None = None  # of the dependent views; None if no row changed

    @classmethod
    def of(cls, handle: ProcessHandle) -> Self:
        """Return the result of a load that has ended."""
        return cls(
            source=handle.source,
            load_id=handle.load_id,
            target=handle.target,
            counts=handle.counts,
            refresh=handle.refresh,
        )

    @property
    def is_skipped(self) -> bool:
        """Whether it was loaded before."""
        return self.load_id is None

    def as_document(self) -> Mapping[str, Any]:
        """Return the result for JSON and for the queue."""
        counts = self.counts
        return {
            "source": self.source,
            "status": "skipped" if self.is_skipped else "success",
            "loadId": self.load_id,
            "targetTable": self.target,
            "rowsIn": counts.rows_in,
            "rowsUpserted": rows_upserted(counts),
            "rowsUnchanged": counts.rows_unchanged,
            "rowsRejected": counts.rows_rejected,
        }


def rows_upserted(counts: LoadCounts) -> int:
    """Return the number of inserted and updated rows."""
    return (counts.rows_inserted or 0) + (counts.rows_updated or 0)
