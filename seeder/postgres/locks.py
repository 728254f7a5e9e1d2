"""Advisory locks: what runs of this app keep one another from doing at the same time, and how they show that they live.

All end with the transaction that takes them, but for a run's own, which ends with its session. A held lock proves that
its backend lives; the server frees it however that backend ends.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from seeder.domain.names import ViewName
from seeder.postgres import sessions

# Before it: no reader queues behind who waits for the view to be free of other runs, so this may take longer than a
# refresh may wait for its other locks.
BE_PATIENT = "be_patient"

# In the transaction of a refresh, with the schema and the name of a view: wait until no other run creates or refreshes
# it; when we got it. A view that is missing has no relation to lock yet, and of two that create it one would fail.
HAVE_TO_MYSELF = "have_to_myself"


@dataclass(frozen=True, kw_only=True, slots=True)
class Holder:
    """A session that keeps a refresh waiting. What our role may not see is empty."""

    pid: int
    role: str
    application: str
    state: str  # as pg_stat_activity has it, such as "idle in transaction"
    since: timedelta | None  # for how long its transaction has been open

    def __str__(self) -> str:
        facts = [f"pid {self.pid}", self.application, f"of {self.role}" if self.role else "", self.state]
        since = "" if self.since is None else f"its transaction open for {self.since.total_seconds():.0f} s"
        return ", ".join(fact for fact in (*facts, since) if fact)


def in_the_way(database: str, view: ViewName, *, plain: bool) -> list[Holder]:
    """Who keeps the view from being refreshed now, plainly or concurrently; the longest open transaction first."""
    parameters = {"schema": view.schema, "name": view.name, "plain": plain}
    return [
        Holder(
            pid=pid,
            role=role,
            application=application,
            state=state,
            since=None if seconds is None else timedelta(seconds=seconds),
        )
        for pid, role, application, state, seconds in sessions.query(database, "in_the_way", parameters)
    ]


def install_alone(database: str) -> None:
    """Wait until nobody else creates the contract's tables: IF NOT EXISTS alone loses the race (23505)."""
    sessions.query(database, "install_alone")


def queue_alone(database: str) -> None:
    """Wait until nobody else queues anything, and keep others from it until the end of the transaction."""
    sessions.query(database, "queue_alone")


def prune_alone(database: str) -> None:
    """Wait until nobody else prunes, and keep others from it until the end of the transaction: two that delete the same
    rows could wait for each other in a circle."""
    sessions.query(database, "prune_alone")


def is_idle(database: str, view: ViewName) -> bool:
    """Whether no run creates or refreshes the view; until the end of the transaction none can begin to."""
    [(idle,)] = sessions.query_about(database, "is_idle", view)
    return bool(idle)


def live(database: str, run_id: str) -> None:
    """Hold the run's lock in this thread's session."""
    sessions.query(database, "live", {"run": run_id})


def lives(database: str, run_id: str) -> bool:
    """Whether this thread's session holds the run's lock."""
    return bool(sessions.query(database, "lives", {"run": run_id}))


def die(database: str, run_id: str) -> None:
    """Give the run's lock back."""
    sessions.query(database, "die", {"run": run_id})


def is_dead(database: str, run_id: str) -> bool:
    """Whether nobody holds the run's lock; until the end of the transaction nobody else will find it so."""
    [(dead,)] = sessions.query(database, "is_dead", {"run": run_id})
    return bool(dead)


def living(database: str, runs: Iterable[str]) -> frozenset[str]:
    """Which of these runs hold their lock, for who merely looks."""
    return frozenset(run for (run,) in sessions.query(database, "living", {"runs": list(runs)}))
