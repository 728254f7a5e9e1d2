"""What a refresh may take of the server, set for its transaction alone, so that nothing of it stays in the session."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class TransactionLimits:
    lock_timeout_ms: int  # milliseconds that it waits for a lock, and that others queue behind it
    statement_timeout_ms: int  # milliseconds that a statement may take; 0: no limit
    allow_parallel: bool  # whether a statement may have parallel workers; if so, as many as the server lets it
    application_name: str  # what pg_stat_activity shows; PostgreSQL keeps 63 bytes

    @property
    def parameters(self) -> Mapping[str, object]:
        return {
            "lock_timeout": self.lock_timeout_ms,
            "statement_timeout": self.statement_timeout_ms,
            "parallel_workers": None if self.allow_parallel else "0",
            "application_name": self.application_name,
        }


# For the rest of a transaction, with the limits' own parameters.
APPLY_LIMITS = "apply_limits"
