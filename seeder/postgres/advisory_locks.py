"""Advisory locks: what runs of this app keep one another from doing at the same time, and how they show that they live.

All end with the transaction that takes them, but for a run's own, which ends with its session. A held lock proves that
its backend lives; the server frees it however that backend ends.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

from seeder.domain.view_names import ViewName
from seeder.postgres import sessions

# Before it: no reader queues behind who waits for the view to be free of other runs, so this may take longer than a
# refresh may wait for its other locks.
SET_LOCK_WAIT = "set_lock_wait"

# In the transaction of a refresh, with the schema and the name of a view: wait until no other run creates or refreshes
# it; when we got it. A view that is missing has no relation to lock yet, and of two that create it one would fail.
LOCK_VIEW = "lock_view"


@dataclass(frozen=True, kw_only=True, slots=True)
class BlockingSession:
    """A session that keeps a refresh waiting. What our role may not see is empty."""

    pid: int
    role: str
    application_name: str
    state: str  # as pg_stat_activity has it, such as "idle in transaction"
    transaction_age: timedelta | None  # for how long its transaction has been open

    def __str__(self) -> str:
        facts = [f"pid {self.pid}", self.application_name, f"of {self.role}" if self.role else "", self.state]
        age_text = (
            ""
            if self.transaction_age is None
            else f"its transaction open for {self.transaction_age.total_seconds():.0f} s"
        )
        return ", ".join(fact for fact in (*facts, age_text) if fact)


def blocking_sessions(database: str, view: ViewName, *, plain: bool) -> list[BlockingSession]:
    """Who keeps the view from being refreshed now, plainly or concurrently; the longest open transaction first."""
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
    """Wait until nobody else creates the contract's tables: IF NOT EXISTS alone loses the race (23505)."""
    sessions.query(database, "lock_install")


def lock_enqueue(database: str) -> None:
    """Wait until nobody else queues anything, and keep others from it until the end of the transaction."""
    sessions.query(database, "lock_enqueue")


def lock_prune(database: str) -> None:
    """Wait until nobody else prunes, and keep others from it until the end of the transaction: two that delete the same
    rows could wait for each other in a circle."""
    sessions.query(database, "lock_prune")


def try_lock_view(database: str, view: ViewName) -> bool:
    """Whether no run creates or refreshes the view; until the end of the transaction none can begin to."""
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
    """Whether nobody holds the run's lock; until the end of the transaction nobody else will find it so."""
    [(acquired,)] = sessions.query(database, "try_lock_dead_run", {"run": run_id})
    return bool(acquired)


def runs_holding_lock(database: str, run_ids: Iterable[str]) -> frozenset[str]:
    """Which of these runs hold their lock, for who merely looks."""
    return frozenset(run_id for (run_id,) in sessions.query(database, "runs_holding_lock", {"runs": list(run_ids)}))
