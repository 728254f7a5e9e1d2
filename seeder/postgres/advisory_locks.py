"""Advisory locks: mutual exclusion of runs, and proof that a run is alive.

All are transaction-level locks, except the run lock, which belongs to a session. A held lock proves that its backend is
alive, because the server releases it when the backend ends for any reason.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

from seeder.domain.view_names import ViewName
from seeder.postgres import sessions

# Before LOCK_VIEW. Readers do not queue behind an advisory lock, so this wait may be longer than lock_timeout.
SET_LOCK_WAIT = "set_lock_wait"

# In a refresh's transaction, with schema and name of a view: wait until no other run creates or refreshes it, and
# return the time. A missing view has no relation to lock, so one of two runs that create it would fail.
LOCK_VIEW = "lock_view"


@dataclass(frozen=True, kw_only=True, slots=True)
class BlockingSession:
    """A session that blocks a refresh. Facts that seeder's role may not see are empty."""

    pid: int
    role: str
    application_name: str
    state: str  # as in pg_stat_activity, such as "idle in transaction"
    transaction_age: timedelta | None

    def __str__(self) -> str:
        facts = [f"pid {self.pid}", self.application_name, f"of {self.role}" if self.role else "", self.state]
        age_text = (
            ""
            if self.transaction_age is None
            else f"its transaction open for {self.transaction_age.total_seconds():.0f} s"
        )
        return ", ".join(fact for fact in (*facts, age_text) if fact)


def blocking_sessions(database: str, view: ViewName, *, plain: bool) -> list[BlockingSession]:
    """Return the sessions that block a plain or concurrent refresh, oldest transaction first."""
    parameters = {"schema": view.schema, "name": view.name, "plain": plain}
    return [
        BlockingSession(
            pid=pid,
            role=role,
            application_name=application,
            state=state,
            transaction_age=None if seconds is None else timedelta(seconds=seconds),
        )
        for pid, role, application, state, seconds in sessions.query(database, "blocking_sessions", parameters)
    ]


def lock_install(database: str) -> None:
    """Lock the creation of the contract's tables: concurrent IF NOT EXISTS can fail (23505)."""
    sessions.query(database, "lock_install")


def lock_enqueue(database: str) -> None:
    """Lock queueing until the end of the transaction."""
    sessions.query(database, "lock_enqueue")


def lock_prune(database: str) -> None:
    """Lock pruning until the end of the transaction: concurrent deletes of the same rows could deadlock."""
    sessions.query(database, "lock_prune")


def try_lock_view(database: str, view: ViewName) -> bool:
    """Lock the view until the end of the transaction, unless a run creates or refreshes it."""
    [(acquired,)] = sessions.query_view(database, "try_lock_view", view)
    return bool(acquired)


def lock_run(database: str, run_id: str) -> datetime:
    """Hold the run's lock in this thread's session, and return the server's time."""
    [(_, now)] = sessions.query(database, "lock_run", {"run": run_id})
    return cast("datetime", now)


def holds_run_lock(database: str, run_id: str) -> bool:
    """Whether this thread's session holds the run's lock."""
    return bool(sessions.query(database, "holds_run_lock", {"run": run_id}))


def unlock_run(database: str, run_id: str) -> bool:
    """Release the run's lock once if this session holds it, and return whether it still does."""
    _, held = sessions.query_batch(database, ("unlock_run", "holds_run_lock"), {"run": run_id})
    return bool(held)


def try_lock_dead_run(database: str, run_id: str) -> bool:
    """Lock a run until the end of the transaction, unless it is alive or another transaction did."""
    [(acquired,)] = sessions.query(database, "try_lock_dead_run", {"run": run_id})
    return bool(acquired)


def runs_holding_lock(database: str, run_ids: Iterable[str]) -> frozenset[str]:
    """Return the runs that hold their lock, without taking any."""
    return frozenset(run_id for (run_id,) in sessions.query(database, "runs_holding_lock", {"runs": list(run_ids)}))
