"""The state of loads as plain lines and tables."""

from collections.abc import Iterator
from datetime import datetime

from django.utils import timezone

from data_pipeline.domain.load_overview import LoadSummary
from data_pipeline.domain.load_requests import RequestStatus, RequestSummary
from data_pipeline.domain.uris import file_name
from data_pipeline.services.load_overview import LoadOverview
from data_pipeline.services.request_overview import RequestOverview
from seeder.domain.human_format import format_count, time_ago_text
from seeder.management.rendering.command_output import Block, TableRow, TextTable
from seeder.management.rendering.run_text import first_line

_HEADINGS = ("table", "file+", "load>", "outcome", "rows>", "changed>", "rejected>", "updated")
_WORDS = {"success": "loaded", "skipped": "loaded, repeated"}  # as in the admin
_STYLES = {"loaded": "green", "loaded, repeated": "green", "pending": "cyan", "undone": "dim"}
_REQUEST_STYLES = {RequestStatus.QUEUED: "", RequestStatus.RUNNING: "cyan", RequestStatus.LOST: "yellow"}


def overview_blocks(overview: LoadOverview) -> Iterator[Block]:
    late = format_count(len(overview.late), "late table")
    shown, is_urgent = format_count(len(overview.loads), "load"), overview.failing or overview.stuck
    yield (
        f"{overview.failing:,} failing, {overview.stuck:,} stuck; {late}; {shown} shown",
        "bold red" if is_urgent else "",
    )
    now = timezone.now()
    yield TextTable(
        headings=_HEADINGS,
        rows=[_row(load, now) for load in overview.loads],
        notes=[(f"load {one.load_id}: {_error_text(one)}", "red") for one in overview.loads if one.is_failing],
    )
    if overview.queued and overview.queued.requests:
        yield from _request_blocks(overview.queued, now)
    if overview.stuck:
        yield "Stuck loads have no process any more: `manage.py recover_loads` closes them.", "yellow"
    for table in overview.late:
        yield f"{table.table}: last loaded {timezone.localtime(table.last_success):%Y-%m-%d %H:%M %Z}", "yellow"


def _row(load: LoadSummary, now: datetime) -> TableRow:
    outcome = _outcome(load)
    changed = sum(one or 0 for one in (load.rows_inserted, load.rows_updated, load.rows_deleted))
    updated = f"{timezone.localtime(load.updated_at):%Y-%m-%d %H:%M %Z}"
    parts = [outcome, f"{format_count(changed, 'row')} changed", updated]
    if load.rows_rejected:
        parts.insert(2, f"{load.rows_rejected:,} rejected")
    artefact = file_name(load.source_uri or load.source)
    error = f": {text}" if (text := _error_text(load)) else ""
    return TableRow(
        line=f"load {load.load_id} of {artefact} into {load.table or 'no table'}: {', '.join(parts)}{error}",
        cells=[
            load.table or "no table",
            artefact,
            str(load.load_id),
            (outcome, _STYLES.get(outcome, "bold red")),
            _figure(load.rows_in),
            f"{changed:,}",
            _figure(load.rows_rejected),
            time_ago_text(load.updated_at, now),
        ],
    )


def _request_blocks(queued: RequestOverview, now: datetime) -> Iterator[Block]:
    failed = f"{queued.failed:,} failed in the last day"
    yield f"requests: {queued.unfinished:,} unfinished, {failed}", "bold red" if queued.failed else ""
    rows = [_request_row(one, now) for one in queued.requests]
    yield TextTable(headings=("request>", "action", "file+", "state", "load>", "requested by"), rows=rows)


def _request_row(request: RequestSummary, now: datetime) -> TableRow:
    artefact = file_name(request.source_uri)
    since = time_ago_text(request.finished_at or request.requested_at, now)
    load = "" if request.load_id is None else str(request.load_id)
    error = f": {first_line(request.error_message)}" if request.error_message else ""
    worker = f" by {request.worker}" if request.worker and request.status is RequestStatus.RUNNING else ""
    state = f"{request.status}{worker}, {since}"
    return TableRow(
        line=f"request {request.request_id} to {request.action} {artefact}: {state}, requested by"
        f" {request.requested_by}{error}",
        cells=[
            str(request.request_id),
            request.action,
            artefact,
            (f"{state}{error}", _REQUEST_STYLES.get(request.status, "bold red")),
            load,
            request.requested_by,
        ],
    )


def _error_text(load: LoadSummary) -> str:
    """Return the first line of the message of a failed load. Others of PostgreSQL show the statement."""
    return first_line(load.error_message) if load.error_message and load.status == "failed" else ""


def _outcome(load: LoadSummary) -> str:
    if load.is_stuck:
        return "stuck"
    return "undone" if load.error_code == "undone" else _WORDS.get(load.status, load.status)


def _figure(number: int | None) -> str:
    return "" if number is None else f"{number:,}"
