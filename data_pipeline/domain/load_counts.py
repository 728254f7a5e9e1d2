"""What a load did to its table."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True, slots=True)
class LoadCounts:
    """Records of an artefact, and what became of them. None is unknown."""

    rows_in: int | None = None  # without the header
    rows_inserted: int | None = None
    rows_updated: int | None = None
    rows_unchanged: int | None = None
    rows_deleted: int | None = None
    rows_rejected: int | None = None

    @property
    def has_changed_rows(self) -> bool:
        """Return whether a view of the table can differ. Unknown counts may be changes."""
        changes = (self.rows_inserted, self.rows_updated, self.rows_deleted)
        return any(changes) or all(one is None for one in changes)

    def rolled_back(self) -> "LoadCounts":
        """Return the counts after the changes of rows were undone."""
        return LoadCounts(rows_in=self.rows_in, rows_rejected=self.rows_rejected)

    def as_columns(self) -> dict[str, Any]:
        return asdict(self)
