"""The queue as tables."""

from django.core.management.base import OutputWrapper
from rich.text import Text

from seeder.domain.human_format import format_count
from seeder.domain.queue.queued_requests import QueuedPartState
from seeder.management.rendering.queue import is_late, moment, stand
from seeder.management.rendering.tables import console, headed
from seeder.services.queue.queue_state import PartState, QueueState

_STYLES = {QueuedPartState.RUNNING: "cyan", QueuedPartState.QUEUED: "", QueuedPartState.ENDED: "dim"}


def show(out: OutputWrapper, state: QueueState, *, color: bool) -> None:
    drawn = console(out, color=color)
    parts = (*state.running, *state.queued, *state.ended)
    if parts:
        table = headed("asked for", "part>", "views>", "state")
        for part in parts:
            table.add_row(
                Text(part.description),
                f"{part.number}/{part.of}",
                str(len(part.views)),
                Text(stand(part, state.at), style=_style(part)),
            )
        drawn.print(table)
    else:
        drawn.print("Nothing is queued, and nothing has ended lately.")
    for obstacle in state.obstacles:
        drawn.print(Text(obstacle, style="bold red"))
    if state.schedules:
        table = headed("schedule", "when", "next due")
        for due in state.schedules:
            late = " (overdue)" if is_late(due, state.at) else ""
            when = f"{moment(due.due)}{late}" if due.due else "never"
            table.add_row(Text(due.name), due.cron or "every few minutes", when, style="bold red" if late else None)
        drawn.print(table)
    if state.waiting is not None:
        drawn.print(f"{format_count(state.waiting, 'task')} waiting in the queue")


def _style(part: PartState) -> str:
    if part.failed or part.error or (part.state is QueuedPartState.RUNNING and not part.alive):
        return "bold red"
    return _STYLES[part.state]
