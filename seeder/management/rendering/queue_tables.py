"""The queue as tables."""

from django.core.management.base import OutputWrapper
from rich.text import Text

from seeder.domain.human_format import format_count
from seeder.domain.queue.queued_requests import QueuedPartState
from seeder.management.rendering.queue_lines import is_overdue, local_time_text, part_progress_text
from seeder.management.rendering.run_tables import create_console, create_table
from seeder.services.queue.queue_overview import PartOverview, QueueOverview

_STATE_STYLES = {QueuedPartState.RUNNING: "cyan", QueuedPartState.QUEUED: "", QueuedPartState.ENDED: "dim"}


def print_queue_status(out: OutputWrapper, status: QueueOverview, *, color: bool) -> None:
    screen = create_console(out, color=color)
    parts = (*status.running, *status.queued, *status.ended)
    if parts:
        table = create_table("request", "part>", "views>", "state")
        for part in parts:
            table.add_row(
                Text(part.description),
                f"{part.number}/{part.part_count}",
                str(len(part.views)),
                Text(part_progress_text(part, status.at), style=_part_style(part)),
            )
        screen.print(table)
    else:
        screen.print("Nothing is queued, and nothing has ended lately.")
    for problem in status.problems:
        screen.print(Text(problem, style="bold red"))
    if status.schedules:
        table = create_table("schedule", "when", "next due")
        for schedule in status.schedules:
            overdue_text = " (overdue)" if is_overdue(schedule, status.at) else ""
            due_text = f"{local_time_text(schedule.due)}{overdue_text}" if schedule.due else "never"
            table.add_row(
                Text(schedule.name),
                schedule.cron or "every few minutes",
                due_text,
                style="bold red" if overdue_text else None,
            )
        screen.print(table)
    if status.waiting is not None:
        screen.print(f"{format_count(status.waiting, 'task')} waiting in the queue")


def _part_style(part: PartOverview) -> str:
    if part.failed or part.error or (part.state is QueuedPartState.RUNNING and not part.is_worker_alive):
        return "bold red"
    return _STATE_STYLES[part.state]
