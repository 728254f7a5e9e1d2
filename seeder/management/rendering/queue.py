"""What was queued, for people and as JSON."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from django.utils import timezone

from seeder.domain.human_format import format_count, format_duration
from seeder.domain.queue.queued_requests import EnqueueResult, QueuedPart, QueuedPartState
from seeder.domain.view_names import one_line
from seeder.services.queue.queue_state import PartState, QueueState
from seeder.services.queue.schedules import Due

_LATE = timedelta(minutes=2)  # a cluster looks every half a minute what is due
_SHOWN = 3  # views of a part that are named; the rest are counted


def asked(queued: EnqueueResult) -> Iterable[str]:
    """The answer to who asked."""
    return map(one_line, _lines(queued))


def _lines(queued: EnqueueResult) -> Iterable[str]:
    if queued.request_id is None:
        yield f"Nothing to queue: no manifest is enabled for {queued.description}."
        return
    views = sum(len(part.views) for part in queued.parts)
    done = "joined" if queued.joined else "queued as"
    parts = f"{format_count(views, 'view')} in {format_count(len(queued.parts), 'part')}"
    yield f"{queued.description}: {done} the request {queued.request_id}, {parts}"
    for part in queued.parts:
        yield f"part {part.number}: {_views(part)}"
    yield "See how it goes with `manage.py queue_status`."


def _views(part: QueuedPart) -> str:
    named = ", ".join(str(key.name) for key in part.views[:_SHOWN])
    more = f" and {len(part.views) - _SHOWN:,} more" if len(part.views) > _SHOWN else ""
    return f"{named}{more}" if named else f"{format_count(len(part.manifests), 'manifest')} that cannot be refreshed"


def asked_document(queued: EnqueueResult) -> Mapping[str, object]:
    return {
        "requestId": queued.request_id,
        "description": queued.description,
        "joined": queued.joined,
        "parts": [_part(part) for part in queued.parts],
    }


def _part(part: QueuedPart) -> Mapping[str, object]:
    return {
        "id": part.id,
        "part": part.number,
        "state": part.state,
        "agencies": part.agencies,
        "manifests": len(part.manifests),
        "views": [{"view": str(key.name), "database": key.database} for key in part.views],
    }


def moment(instant: datetime) -> str:
    """`2026-11-22 02:00 UTC`, in the host's time zone."""
    return f"{timezone.localtime(instant):%Y-%m-%d %H:%M %Z}"


def state(state: QueueState) -> Iterable[str]:
    """The queue, a line each."""
    waiting = "no queue here" if state.waiting is None else f"{format_count(state.waiting, 'task')} waiting"
    parts = f"{len(state.running)} running, {len(state.queued)} queued, {len(state.ended)} ended lately"
    yield f"parts: {parts}; {waiting}"
    yield from map(one_line, state.obstacles)
    for part in (*state.running, *state.queued, *state.ended):
        yield one_line(f"{about(part)}: {stand(part, state.at)}")
    for due in state.schedules:
        yield one_line(f"{due.name}{f' ({due.cron})' if due.cron else ''}: {when(due, state.at)}")


def when(due: Due, at: datetime) -> str:
    if due.due is None:
        return "never due"
    if not is_late(due, at):
        return f"next due {moment(due.due)}"
    return (
        f"overdue for {format_duration(at - due.due)}: no cluster works, or it cannot read a schedule, as its log says"
    )


def is_late(due: Due, at: datetime) -> bool:
    return due.due is not None and at - due.due > _LATE


def about(part: PartState) -> str:
    return f"{part.description}, part {part.number} of {part.of}, asked by {part.requested_by or 'somebody'}"


def stand(part: PartState, at: datetime) -> str:
    """How far a part has come, in one line."""
    views = f"{part.done} of {format_count(len(part.views), 'view')} done"
    match part.state:
        case QueuedPartState.QUEUED:
            return f"queued for {format_duration(at - part.requested_at)}" + (f", {views}" if part.run_ids else "")
        case QueuedPartState.RUNNING:
            since = format_duration(at - (part.started_at or part.requested_at))
            lost = "" if part.alive else ", whose worker is gone: taken up again soon"
            return f"running for {since} by {part.worker}, {views}{lost}"
        case QueuedPartState.ENDED:
            ended = f"ended {moment(part.finished_at or at)}, {part.succeeded} succeeded, {part.failed} failed"
            return f"{ended}: {part.error}" if part.error else ended


def state_document(state: QueueState) -> Mapping[str, object]:
    return {
        "at": state.at.isoformat(),
        "waiting": state.waiting,
        "obstacles": state.obstacles,
        "parts": [_part_state(part) for part in (*state.running, *state.queued, *state.ended)],
        "schedules": [
            {"name": due.name, "cron": due.cron, "due": due.due and due.due.isoformat()} for due in state.schedules
        ],
    }


def _part_state(part: PartState) -> Mapping[str, object]:
    return {
        "id": part.id,
        "requestId": part.request_id,
        "part": part.number,
        "parts": part.of,
        "description": part.description,
        "requestedBy": part.requested_by,
        "requestedAt": part.requested_at.isoformat(),
        "state": part.state,
        "alive": part.alive,
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
