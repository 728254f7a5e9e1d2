"""Queued requests and the queue as text and tables."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from seeder.domain.human_format import format_count, format_duration
from seeder.domain.queue.queued_requests import FINAL_STATES, QueuedPartState
from seeder.management.rendering.command_output import Block, TableRow, TextTable
from seeder.management.rendering.local_times import local_time_text
from seeder.models import QueuedRefresh, Run
from seeder.services.queue.enqueue import EnqueueResult
from seeder.services.queue.queue_overview import QueueOverview
from seeder.services.queue.schedule_rows import ScheduleStatus

_OVERDUE_AFTER = timedelta(minutes=2)  # a cluster checks its schedules every half a minute
_MAX_VIEWS_NAMED = 3
_STATE_STYLES = {QueuedPartState.RUNNING: "cyan", QueuedPartState.QUEUED: ""} | dict.fromkeys(FINAL_STATES, "dim")


def enqueue_blocks(result: EnqueueResult) -> Iterator[Block]:
    if result.request_id is None:
        yield f"Nothing to queue: no manifest is enabled for {result.description}."
        return
    views = format_count(sum(len(part.views) for part in result.parts), "view")
    action = "joined" if result.joined else "queued as"
    parts = format_count(len(result.parts), "part")
    yield f"{result.description}: {action} the request {result.request_id}, {views} in {parts}"
    yield from (f"part {part.part}: {_part_views_text(part)}" for part in result.parts)
    yield "`manage.py queue_status` shows the progress."


def cancel_blocks(parts: Sequence[QueuedRefresh]) -> Iterator[Block]:
    counts = {state: sum(part.state == state for part in parts) for state in QueuedPartState}
    yield f"{parts[0].description}: {format_count(counts[QueuedPartState.CANCELLED], 'part')} cancelled"
    if counts[QueuedPartState.ENDED]:
        yield f"{format_count(counts[QueuedPartState.ENDED], 'part')} had ended before."
    if counts[QueuedPartState.RUNNING]:
        running = format_count(counts[QueuedPartState.RUNNING], "running part")
        yield f"The workers of {running} stop within seconds; `manage.py queue_status` shows it."


def cancelled_run_text(run: Run) -> str:
    return f"{run.description}: the run {run.run_id} stops within seconds. Its own terminal shows the result."


def _part_views_text(part: QueuedRefresh) -> str:
    if not part.views:
        return f"{format_count(len(part.manifests), 'manifest')} that cannot be refreshed"
    named = ", ".join(name for _, name in part.views[:_MAX_VIEWS_NAMED])
    return f"{named} and {len(part.views) - _MAX_VIEWS_NAMED:,} more" if part.views[_MAX_VIEWS_NAMED:] else named


def queue_blocks(overview: QueueOverview) -> Iterator[Block]:
    waiting = "no queue" if overview.waiting is None else f"{format_count(overview.waiting, 'task')} waiting"
    counts = f"{len(overview.running)} running, {len(overview.queued)} queued, {len(overview.ended)} ended recently"
    yield f"parts: {counts}; {waiting}"
    yield from ((problem, "bold red") for problem in overview.problems)
    parts = (*overview.running, *overview.queued, *overview.ended)
    yield TextTable(
        headings=("request", "part>", "views>", "state"), rows=[_part_row(part, overview.at) for part in parts]
    )
    yield TextTable(
        headings=("schedule", "when", "next due"),
        rows=[_schedule_row(schedule, overview.at) for schedule in overview.schedules],
    )


def _part_row(part: QueuedRefresh, now: datetime) -> TableRow:
    number, requester = f"part {part.part} of {part.parts}", part.requested_by or "unknown"
    progress = _part_progress_text(part, now)
    has_problem = part.failed or part.error or (part.state == QueuedPartState.RUNNING and not part.is_worker_alive)
    style = "bold red" if has_problem else _STATE_STYLES[QueuedPartState(part.state)]
    return TableRow(
        line=f"{part.description}, {number}, requested by {requester}: {progress}",
        cells=(part.description, f"{part.part}/{part.parts}", str(len(part.views)), (progress, style)),
    )


def _part_progress_text(part: QueuedRefresh, now: datetime) -> str:
    views = f"{part.done} of {format_count(len(part.views), 'view')} done"
    match part.state:
        case QueuedPartState.QUEUED:
            return f"queued for {format_duration(now - part.requested_at)}" + (f", {views}" if part.run_ids else "")
        case QueuedPartState.RUNNING:
            running_time = format_duration(now - (part.started_at or part.requested_at))
            lost_worker = "" if part.is_worker_alive else "; its worker is lost, and the part will be retried"
            cancel = f"; {part.cancel_requested_by} cancelled it" if part.cancel_requested_by else ""
            return f"running for {running_time} by {part.worker}, {views}{lost_worker}{cancel}"
        case QueuedPartState.CANCELLED:
            return f"cancelled by {part.cancel_requested_by} {local_time_text(part.finished_at or now)}, {views}"
        case _:
            counts = f"{format_count(part.succeeded or 0, 'report')} succeeded, {part.failed} failed"
            ended = f"ended {local_time_text(part.finished_at or now)}, {counts}"
            return f"{ended}: {part.error}" if part.error else ended


def _schedule_row(schedule: ScheduleStatus, now: datetime) -> TableRow:
    is_overdue = schedule.due is not None and now - schedule.due > _OVERDUE_AFTER
    if schedule.due is None:
        text = cell = "never due"
    elif is_overdue:
        overdue_for = format_duration(now - schedule.due)
        text = f"overdue for {overdue_for}: no cluster works, or it cannot read a schedule, as its log says"
        cell = f"{local_time_text(schedule.due)} (overdue)"
    else:
        cell = local_time_text(schedule.due)
        text = f"next due {cell}"
    return TableRow(
        line=f"{schedule.name}{f' ({schedule.cron})' if schedule.cron else ''}: {text}",
        cells=(schedule.name, schedule.cron or "every few minutes", (cell, "bold red" if is_overdue else "")),
    )
