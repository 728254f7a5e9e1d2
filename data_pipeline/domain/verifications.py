"""The result of comparing a load with its artefact."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class ArtefactState(StrEnum):
    """What there is of the artefact."""

    EQUAL = "equal"
    CHANGED = "changed"  # it has other bytes
    UNREADABLE = "unreadable"  # it is missing, or cannot be read


class RowsState(StrEnum):
    """What there is of the rows."""

    EQUAL = "equal"
    CHANGED = "changed"  # rows were changed or deleted since
    UNKNOWN = "unknown"  # they cannot be compared


@dataclass(frozen=True, kw_only=True, slots=True)
class Verification:
    """What the artefact and the table have of a load."""

    load_id: int
    table: str
    source_uri: str
    artefact: ArtefactState
    artefact_problem: str | None = None  # why it cannot be read
    recorded_blake2b: str | None = None
    found_blake2b: str | None = None
    rows: RowsState
    rows_recorded: int  # inserted and updated by the load
    rows_found: int | None = None  # in the table, with the id of the load; None if rows have no id
    rows_different: int | None = None  # rows of the load in the table that differ from the artefact
    later_loads: Sequence[int] = ()  # that changed rows of the load
    reason: str | None = None  # why the rows cannot be compared

    @property
    def is_proved(self) -> bool:
        """Whether nothing was found that differs from what was loaded."""
        return self.artefact is ArtefactState.EQUAL and self.rows is not RowsState.CHANGED
