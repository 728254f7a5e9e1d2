"""Queued requests and the queue as text and tables."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from seeder.domain.human_format import format_count, format_duration
from seeder.domain.queue.queued_requests import FINAL_STATES, QueuedPartState
from seeder.management.rendering.command_output import Block, TableRow, TextTable, figures
from seeder.management.rendering.local_times import local_time_text
from seeder.models import QueuedRefresh, Run
from seeder.services.queue.enqueue import EnqueueResult
from seeder.services.queue.queue_overview import QueueOverview
from seeder.services.queue.schedule_rows import ScheduleStatus
from seeder.texts import Text

_OVERDUE_AFTER = timedelta(minutes=2)  # a cluster checks its schedules every half a minute
_MAX_VIEWS_NAMED = 3
_STATE_STYLES = {QueuedPartState.RUNNING: "cyan", QueuedPartState.QUEUED: ""} | dict.fromkeys(FINAL_STATES, "dim")


def enqueue_blocks(result: EnqueueResult) -> Iterator[Block]:
    if result.request_id is None:
        yield Text("Nothing to queue: no manifest is enabled for {request}.", request=result.description)
        return
    views = format_count(sum(len(part.views) for part in result.parts), "view")
    facts = {
        "request": result.description,
        "request_id": result.request_id,
        "views": views,
        "parts": format_count(len(result.parts), "part"),
    }
    if result.joined:
        yield Text("{request}: joined the request {request_id}, {views} in {parts}", **facts)
    else:
        yield Text("{request}: queued as the request {request_id}, {views} in {parts}", **facts)
    for part in result.parts:
        yield Text("part {number}: {views}", number=part.part, views=_part_views_text(part))
    yield Text("`manage.py queue_status` shows the progress.")


def cancel_blocks(parts: Sequence[QueuedRefresh]) -> Iterator[Block]:
    counts = {state: sum(part.state == state for part in parts) for state in QueuedPartState}
    cancelled = format_count(counts[QueuedPartState.CANCELLED], "part")
    yield Text("{request}: {parts} cancelled", request=parts[0].description, parts=cancelled)
    if counts[QueuedPartState.ENDED]:
        yield Text("{parts} had ended before.", parts=format_count(counts[QueuedPartState.ENDED], "part"))
    if counts[QueuedPartState.RUNNING]:
        running = format_count(counts[QueuedPartState.RUNNING], "running part")
        yield Text("The workers of {parts} stop within seconds; `manage.py queue_status` shows it.", parts=running)


def cancelled_run_text(run: Run) -> Text:
    if run.finished_at is not None:
        return Text("{request}: the run {run_id} is cancelled.", request=run.description, run_id=run.run_id)
    return Text(
        "{request}: the run {run_id} stops within seconds. Its own terminal shows the result.",
        request=run.description,
        run_id=run.run_id,
    )


def _part_views_text(part: QueuedRefresh) -> str:
    if not part.views:
        return Text("{manifests} that cannot be refreshed", manifests=format_count(len(part.manifests), "manifest"))
    named, more = ", ".join(name for _, name in part.views[:_MAX_VIEWS_NAMED]), len(part.views) - _MAX_VIEWS_NAMED
    return Text("{names} and {number:,} more", names=named, number=more) if more > 0 else named


def queue_blocks(overview: QueueOverview) -> Iterator[Block]:
    counts = Text(
        "parts: {running} running, {queued} queued, {ended} ended recently",
        running=len(overview.running),
        queued=len(overview.queued),
        ended=len(overview.ended),
    )
    waiting = Text("no queue")
    if overview.waiting is not None:
        waiting = Text("{tasks} waiting", tasks=format_count(overview.waiting, "task"))
    yield Text.joined([counts, waiting], "; ")
    yield from ((problem, "bold red") for problem in overview.problems)
    parts = (*overview.running, *overview.queued, *overview.ended)
    yield TextTable(
        headings=(Text("request"), figures(Text("part")), figures(Text("views")), Text("state")),
        rows=[_part_row(part, overview.at) for part in parts],
    )
    yield TextTable(
        headings=(Text("schedule"), Text("when"), Text("next due")),
        rows=[_schedule_row(schedule, overview.at) for schedule in overview.schedules],
    )


def _part_row(part: QueuedRefresh, now: datetime) -> TableRow:
    progress = _part_progress_text(part, now)
    has_problem = part.failed or part.error or (part.state == QueuedPartState.RUNNING and not part.is_worker_alive)
    style = "bold red" if has_problem else _STATE_STYLES[QueuedPartState(part.state)]
    return TableRow(
        line=Text(
            "{request}, part {part} of {parts}, requested by {requester}: {progress}",
            request=part.description,
            part=part.part,
            parts=part.parts,
            requester=part.requested_by or Text("unknown"),
            progress=progress,
        ),
        cells=(part.description, f"{part.part}/{part.parts}", str(len(part.views)), (progress, style)),
    )


def _part_progress_text(part: QueuedRefresh, now: datetime) -> Text:
    views = Text("{done} of {views} done", done=part.done, views=format_count(len(part.views), "view"))
    finished = local_time_text(part.finished_at or now)
    match part.state:
        case QueuedPartState.QUEUED:
            queued = Text("queued for {duration}", duration=format_duration(now - part.requested_at))
            return Text.joined([queued, views]) if part.run_ids else queued
        case QueuedPartState.RUNNING:
            running_time = format_duration(now - (part.started_at or part.requested_at))
            running = Text("running for {duration} by {worker}", duration=running_time, worker=part.worker)
            facts = [Text.joined([running, views])]
            if not part.is_worker_alive:
                facts.append(Text("its worker is lost, and the part will be retried"))
            if part.cancel_requested_by:
                facts.append(Text("{user} cancelled it", user=part.cancel_requested_by))
            return Text.joined(facts, "; ")
        case QueuedPartState.CANCELLED:
            by, end = part.cancel_requested_by, finished
            return Text.joined([Text("cancelled by {user} {time}", user=by, time=end), views])
        case _:
            counts = Text(
                "{reports} succeeded, {failed} failed",
                reports=format_count(part.succeeded or 0, "report"),
                failed=part.failed,
            )
            ended = Text.joined([Text("ended {time}", time=finished), counts])
            return Text.joined([ended, part.error], ": ") if part.error else ended


def _schedule_row(schedule: ScheduleStatus, now: datetime) -> TableRow:
    is_overdue = schedule.due is not None and now - schedule.due > _OVERDUE_AFTER
    if schedule.due is None:
        text = cell = Text("never due")
    elif is_overdue:
        text = Text(
            "overdue for {duration}: no cluster works, or it cannot read a schedule, as its log says",
            duration=format_duration(now - schedule.due),
        )
        cell = Text("{time} (overdue)", time=local_time_text(schedule.due))
    else:
        time = local_time_text(schedule.due)
        text, cell = Text("next due {time}", time=time), Text.joined([time])
    interval = schedule.cron or Text("every few minutes")
    return TableRow(
        line=Text.joined([schedule.name_with_cron, text], ": "),
        cells=(schedule.name, interval, (cell, "bold red" if is_overdue else "")),
    )
