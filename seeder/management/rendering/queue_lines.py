"""What was queued, for people and as JSON."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from django.utils import timezone

from seeder.domain.human_format import format_count, format_duration
from seeder.domain.queue.queued_requests import EnqueueResult, QueuedPart, QueuedPartState
from seeder.domain.view_names import one_line
from seeder.services.queue.queue_overview import PartOverview, QueueOverview
from seeder.services.queue.schedules import ScheduleStatus

_OVERDUE_AFTER = timedelta(minutes=2)  # a cluster checks its schedules every half a minute
_MAX_VIEWS_NAMED = 3  # views of a part that are named; the rest are counted


def enqueue_result_lines(result: EnqueueResult) -> Iterable[str]:
    """Yield the answer to a queued request."""
    return map(one_line, _unescaped_result_lines(result))


def _unescaped_result_lines(result: EnqueueResult) -> Iterable[str]:
    if result.request_id is None:
        yield f"Nothing to queue: no manifest is enabled for {result.description}."
        return
    views = sum(len(part.views) for part in result.parts)
    action = "joined" if result.joined else "queued as"
    parts = f"{format_count(views, 'view')} in {format_count(len(result.parts), 'part')}"
    yield f"{result.description}: {action} the request {result.request_id}, {parts}"
    for part in result.parts:
        yield f"part {part.number}: {_part_views_text(part)}"
    yield "See how it goes with `manage.py queue_status`."


def _part_views_text(part: QueuedPart) -> str:
    named = ", ".join(str(key.name) for key in part.views[:_MAX_VIEWS_NAMED])
    more = f" and {len(part.views) - _MAX_VIEWS_NAMED:,} more" if len(part.views) > _MAX_VIEWS_NAMED else ""
    return f"{named}{more}" if named else f"{format_count(len(part.manifests), 'manifest')} that cannot be refreshed"


def enqueue_result_json(result: EnqueueResult) -> Mapping[str, object]:
    return {
        "requestId": result.request_id,
        "description": result.description,
        "joined": result.joined,
        "parts": [_enqueued_part_json(part) for part in result.parts],
    }


def _enqueued_part_json(part: QueuedPart) -> Mapping[str, object]:
    return {
        "id": part.id,
        "part": part.number,
        "state": part.state,
        "agencies": part.agencies,
        "manifests": len(part.manifests),
        "views": [{"view": str(key.name), "database": key.database} for key in part.views],
    }


def local_time_text(instant: datetime) -> str:
    """`2026-11-22 02:00 UTC`, in the host's time zone."""
    return f"{timezone.localtime(instant):%Y-%m-%d %H:%M %Z}"


def queue_status_lines(status: QueueOverview) -> Iterable[str]:
    """The queue, a line each."""
    waiting = "no queue here" if status.waiting is None else f"{format_count(status.waiting, 'task')} waiting"
    parts = f"{len(status.running)} running, {len(status.queued)} queued, {len(status.ended)} ended lately"
    yield f"parts: {parts}; {waiting}"
    yield from map(one_line, status.problems)
    for part in (*status.running, *status.queued, *status.ended):
        yield one_line(f"{part_title(part)}: {part_progress_text(part, status.at)}")
    for schedule in status.schedules:
        yield one_line(
            f"{schedule.name}{f' ({schedule.cron})' if schedule.cron else ''}: {schedule_due_text(schedule, status.at)}"
        )


def schedule_due_text(schedule: ScheduleStatus, now: datetime) -> str:
    if schedule.due is None:
        return "never due"
    if not is_overdue(schedule, now):
        return f"next due {local_time_text(schedule.due)}"
    return (
        f"overdue for {format_duration(now - schedule.due)}: no cluster works, or it cannot read a schedule, as"
        " its log says"
    )


def is_overdue(schedule: ScheduleStatus, now: datetime) -> bool:
    return schedule.due is not None and now - schedule.due > _OVERDUE_AFTER


def part_title(part: PartOverview) -> str:
    return f"{part.description}, part {part.number} of {part.part_count}, requested by {part.requested_by or 'unknown'}"


def part_progress_text(part: PartOverview, now: datetime) -> str:
    """How far a part has come, in one line."""
    views = f"{part.done} of {format_count(len(part.views), 'view')} done"
    match part.state:
        case QueuedPartState.QUEUED:
            return f"queued for {format_duration(now - part.requested_at)}" + (f", {views}" if part.run_ids else "")
        case QueuedPartState.RUNNING:
            running_time = format_duration(now - (part.started_at or part.requested_at))
            lost_worker_text = "" if part.is_worker_alive else ", whose worker is gone: taken up again soon"
            return f"running for {running_time} by {part.worker}, {views}{lost_worker_text}"
        case QueuedPartState.ENDED:
            ended = (
                f"ended {local_time_text(part.finished_at or now)}, {part.succeeded} succeeded, {part.failed} failed"
            )
            return f"{ended}: {part.error}" if part.error else ended


def queue_status_json(status: QueueOverview) -> Mapping[str, object]:
    return {
        "at": status.at.isoformat(),
        "waiting": status.waiting,
        "problems": status.problems,
        "parts": [_part_status_json(part) for part in (*status.running, *status.queued, *status.ended)],
        "schedules": [
            {"name": due.name, "cron": due.cron, "due": due.due and due.due.isoformat()} for due in status.schedules
        ],
    }


def _part_status_json(part: PartOverview) -> Mapping[str, object]:
    return {
        "id": part.id,
        "requestId": part.request_id,
        "part": part.number,
        "parts": part.part_count,
        "description": part.description,
        "requestedBy": part.requested_by,
        "requestedAt": part.requested_at.isoformat(),
        "state": part.state,
        "alive": part.is_worker_alive,
        "worker": part.worker,
        "views": [str(key.name) for key in part.views],
        "done": part.done,
        "agencies": part.agencies,
        "manifests": part.manifests,
        "runIds": part.run_ids,
        "startTime": part.started_at and part.started_at.isoformat(),
        "finishTime": part.finished_at and part.finished_at.isoformat(),
        "succeeded": part.succeeded,
        "failed": part.failed,
        "errors": part.error,
    }
