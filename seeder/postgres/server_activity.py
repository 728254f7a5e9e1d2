"""Activity of all clients on the server."""

from dataclasses import asdict, dataclass
from datetime import timedelta

from psycopg.rows import class_row

from seeder.domain import lock_keys
from seeder.domain.view_names import ViewName
from seeder.postgres import input_locks, sessions
from seeder.postgres.named_statements import STATEMENTS
from seeder.texts import Text


@dataclass(frozen=True, kw_only=True, slots=True)
class BlockingSession:
    """A session that blocks a refresh. Facts that seeder's role may not see are empty."""

    pid: int
    role: str
    application_name: str
    state: str  # as in pg_stat_activity, such as "idle in transaction"
    transaction_age: timedelta | None

    def __str__(self) -> str:
        facts = [f"pid {self.pid}", self.application_name]
        facts += [Text("of {role}", role=self.role) if self.role else "", self.state]
        if (age := self.transaction_age) is not None:
            facts.append(Text("its transaction open for {seconds:.0f} s", seconds=age.total_seconds()))
        return Text.joined(filter(None, facts))


def blocking_sessions(database: str, view: ViewName, *, plain: bool) -> list[BlockingSession]:
    """Return the sessions that block a plain or concurrent refresh, oldest transaction first."""
    inputs = list(input_locks.look_up_inputs(database, view).tables)
    parameters = {**asdict(view), "key": lock_keys.of_view(view), "plain": plain, "inputs": inputs}
    row_factory = class_row(BlockingSession)
    return sessions.query(database, STATEMENTS["blocking_sessions"], parameters, row_factory=row_factory)


def active_query_count(database: str) -> int:
    """Count the active sessions of all clients that seeder's role may see.

    Excludes this session, and seeder's refreshes that wait for a lock: its holder may itself be held by the throttle.
    """
    [(active_sessions,)] = sessions.query(database, STATEMENTS["active_query_count"])
    return int(active_sessions)


def can_see_all_sessions(database: str) -> bool:
    """Return whether seeder's role may see the activity of other roles."""
    [(can_see,)] = sessions.query(database, STATEMENTS["can_see_all_sessions"])
    return bool(can_see)
