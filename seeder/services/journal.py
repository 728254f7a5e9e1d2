"""What a run tells, in the log `seeder`: one line an event. What nobody configures goes nowhere."""

import logging
from collections.abc import Callable

from seeder.domain.events import Held, Noticed, Resumed, RunEnded, RunEvent, RunStarted, ViewEnded, ViewStarted
from seeder.domain.names import one_line
from seeder.domain.outcomes import RefreshResult

_log = logging.getLogger("seeder")
_log.addHandler(logging.NullHandler())


def keeping(run_id: str, emit: Callable[[RunEvent], object]) -> Callable[[RunEvent], object]:
    """`emit`, and before it the log."""

    def both(event: RunEvent) -> None:
        _keep(run_id, event)
        emit(event)

    return both


def _keep(run_id: str, event: RunEvent) -> None:
    match event:
        case RunStarted(plan=plan, seats=seats):
            _tell(logging.INFO, "run %s: %d views, %d seats", run_id, len(plan.views), seats)
        case ViewStarted(view=view):
            _tell(logging.INFO, "run %s: %s started", run_id, view.key.name)
        case ViewEnded(view=view, result=result):
            level = logging.WARNING if result.failure or result.notes else logging.INFO
            _tell(level, "run %s: %s %s: %s", run_id, view.key.name, result.outcome, _in_short(result))
        case Held(database=database, hold=hold):
            _tell(logging.WARNING, "run %s: %s held back: %s", run_id, database, hold.message)
        case Resumed(database=database, after=after):
            _tell(logging.WARNING, "run %s: %s goes on after %.1f s", run_id, database, after.total_seconds())
        case Noticed(message=message):
            _tell(logging.WARNING, "run %s: %s", run_id, message)
        case RunEnded(summary=summary):
            _tell(logging.INFO, "run %s: %d succeeded, %d failed", run_id, summary.succeeded, summary.failed)


def _tell(level: int, text: str, *facts: object) -> None:
    """A line each, whatever a name holds: a line end in it could forge another one."""
    _log.log(level, text, *(fact if isinstance(fact, int | float) else one_line(str(fact)) for fact in facts))


def _in_short(result: RefreshResult) -> str:
    """A failure's message may quote the data, and a log goes further than the row: its reason is enough here."""
    if result.failure:
        return f"{result.failure.reason} {result.failure.sqlstate or ''}".strip()
    return f"{result.rows} rows in {result.took.total_seconds():.3f} s" + "".join(f"; {note}" for note in result.notes)
