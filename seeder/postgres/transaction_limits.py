"""Limits of a refresh, set with SET LOCAL so that nothing remains in the session."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class TransactionLimits:
    lock_timeout_ms: int  # also the time that readers queue behind the refresh
    statement_timeout_ms: int  # 0: no limit
    allow_parallel: bool  # if true, the server's settings apply
    application_name: str  # PostgreSQL keeps 63 bytes

    @property
    def parameters(self) -> Mapping[str, object]:
        return {
            "lock_timeout": self.lock_timeout_ms,
            "statement_timeout": self.statement_timeout_ms,
            "parallel_workers": None if self.allow_parallel else "0",
            "application_name": self.application_name,
        }


# Named statement, with `TransactionLimits.parameters`.
APPLY_LIMITS = "apply_limits"
