"""Failed loads of artefacts, as an operator sees them."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class LetterState(StrEnum):
    """The closed set of the column `load_dead_letter.state`."""

    OPEN = "open"
    RESOLVED = "resolved"  # a later load of the artefact succeeded
    DISMISSED = "dismissed"  # it needs no attention


@dataclass(frozen=True, kw_only=True, slots=True)
class DeadLetter:
    """An artefact whose load failed."""

    load_id: int
    source: str
    uri: str | None  # None if the load has no address
    table: str | None
    state: LetterState
    attempts: int
    error_code: str | None
    error_message: str | None
    next_try_at: datetime | None  # None if an operator decides
    updated_at: datetime

    @property
    def artefact(self) -> str:
        """The address of the artefact, or the source of its load."""
        return self.uri or self.source
