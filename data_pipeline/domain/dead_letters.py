"""Artefacts that could not be processed, and when they are tried again."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from seeder.domain.backoff import doubled

MAX_ATTEMPTS: Final = 6  # automatic ones; then an operator replays or dismisses the letter
_FIRST_WAIT, _LONGEST_WAIT = timedelta(minutes=15), timedelta(days=1)


class LetterState(StrEnum):
    """The closed set of the column `load_dead_letter.state`."""

    OPEN = "open"
    RESOLVED = "resolved"  # a later attempt succeeded
    DISMISSED = "dismissed"  # it is not tried again


@dataclass(frozen=True, kw_only=True, slots=True)
class DeadLetter:
    """An artefact that could not be processed."""

    letter_id: int
    source: str
    uri: str
    state: LetterState
    attempts: int
    error_code: str
    error_message: str
    next_try_at: datetime | None  # None if it is not tried again by itself
    load_id: int | None  # the last load that failed
    updated_at: datetime


def wait_after(attempts: int) -> timedelta | None:
    """Return the time until the next attempt after this number of them. None: it waits for an operator."""
    return None if attempts >= MAX_ATTEMPTS else doubled(_FIRST_WAIT, attempts, at_most=_LONGEST_WAIT)
