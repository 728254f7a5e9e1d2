"""Whether more views of a database may start now: the closed set of answers, asked for before each batch."""

from dataclasses import dataclass
from enum import StrEnum


class HoldReason(StrEnum):
    """Why nothing may start: the machine word that a view which was never started carries."""

    SERVER_BUSY = "server_busy"
    CIRCUIT_OPEN = "circuit_open"


@dataclass(frozen=True, kw_only=True, slots=True)
class Admit:
    """A batch may start."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TrialOnly:
    """One view may start; how it ends decides whether others may."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Hold:
    """Nothing may start; ask again."""

    reason: HoldReason
    message: str  # what is in the way, with its figures


AdmissionDecision = Admit | TrialOnly | Hold
