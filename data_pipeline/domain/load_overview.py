"""Loads as an operator sees them."""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, kw_only=True, slots=True)
class LoadSummary:
    """A load and its state."""

    load_id: int
    source: str
    status: str
    table: str | None
    source_uri: str | None
    attempts: int
    created_at: datetime
    updated_at: datetime
    duration_ms: int | None
    rows_in: int | None
    rows_inserted: int | None
    rows_updated: int | None
    rows_unchanged: int | None
    rows_deleted: int | None
    rows_rejected: int | None
    error_code: str | None
    error_message: str | None
    undone_at: datetime | None
    processed_by: str | None
    is_stuck: bool  # pending, but its process or connection has ended
    is_failing: bool  # failed, and neither undone nor repeated with success

    @property
    def duration(self) -> timedelta | None:
        return None if self.duration_ms is None else timedelta(milliseconds=self.duration_ms)


@dataclass(frozen=True, kw_only=True, slots=True)
class LateTable:
    """A table that has not been loaded for a time."""

    table: str
    last_success: datetime
