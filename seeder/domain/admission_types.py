"""Whether views of a database may start, decided before each batch."""

from dataclasses import dataclass
from enum import Enum, StrEnum


class HoldReason(StrEnum):
    """Why nothing may start. A view that is given up on hold has it as its reason."""

    SERVER_BUSY = "server_busy"
    CIRCUIT_OPEN = "circuit_open"


class Admit(Enum):
    """Permission to start views."""

    BATCH = "a batch"
    TRIAL = "one view, whose result decides if others may start"


@dataclass(frozen=True, kw_only=True, slots=True)
class Hold:
    """Nothing may start for now."""

    reason: HoldReason
    message: str  # with figures


AdmissionDecision = Admit | Hold
