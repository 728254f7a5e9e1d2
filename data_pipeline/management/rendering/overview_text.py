"""The state of loads as plain lines and tables."""

from collections.abc import Iterator
from datetime import datetime

from django.utils import timezone

from data_pipeline.domain.load_overview import LoadSummary
from data_pipeline.domain.load_requests import RequestStatus, RequestSummary
from data_pipeline.domain.load_words import load_word
from data_pipeline.domain.uris import file_name
from data_pipeline.services.load_overview import LoadOverview
from data_pipeline.services.request_overview import RequestOverview
from seeder.domain.human_format import format_count, time_ago_text
from seeder.management.rendering.command_output import Block, TableRow, TextTable, figures, foldable
from seeder.management.rendering.local_times import local_time_text
from seeder.management.rendering.run_text import first_line
from seeder.texts import Text

_HEADINGS = (
    *(Text("table"), foldable(Text("file")), figures(Text("load")), Text("outcome"), figures(Text("rows"))),
    *(figures(Text("changed")), figures(Text("rejected")), Text("when")),
)
_WORDS = {"success": Text("loaded"), "skipped": Text("loaded, repeated")}  # as in the admin
_STYLES = {"loaded": "green", "loaded, repeated": "green", "pending": "cyan", "undone": "dim"}
_REQUEST_STYLES = {RequestStatus.QUEUED: "", RequestStatus.RUNNING: "cyan", RequestStatus.LOST: "yellow"}


def overview_blocks(overview: LoadOverview) -> Iterator[Block]:
    totals = Text(
        "{failing:,} failing, {stuck:,} stuck; {late}; {loads} shown",
        failing=overview.failing,
        stuck=overview.stuck,
        late=format_count(len(overview.late), "late table"),
        loads=format_count(len(overview.loads), "load"),
    )
    yield totals, "bold red" if overview.failing or overview.stuck else ""
    now = timezone.now()
    yield TextTable(
        headings=_HEADINGS,
        rows=[_row(load, now) for load in overview.loads],
        notes=[
            (Text("load {load_id}: {error}", load_id=one.load_id, error=_error_text(one)), "red")
            for one in overview.loads
            if one.is_failing
        ],
    )
    if overview.queued and overview.queued.requests:
        yield from _request_blocks(overview.queued, now)
    if overview.stuck:
        yield Text("Stuck loads have no process any more: `manage.py recover_loads` closes them."), "yellow"
    for table in overview.late:
        time = local_time_text(table.last_success)
        yield Text("{table}: last loaded {time}", table=table.table, time=time), "yellow"


def _row(load: LoadSummary, now: datetime) -> TableRow:
    outcome = _outcome(load)
    changed = sum(one or 0 for one in (load.rows_inserted, load.rows_updated, load.rows_deleted))
    facts: list[str] = [outcome, Text("{rows} changed", rows=format_count(changed, "row"))]
    facts += [Text("{number:,} rejected", number=load.rows_rejected)] if load.rows_rejected else []
    artefact, table = file_name(load.source_uri or load.source), load.table or Text("no table")
    line = Text(
        "load {load_id} of {file} into {table}: {facts}",
        load_id=load.load_id,
        file=artefact,
        table=table,
        facts=Text.joined([*facts, local_time_text(load.updated_at)]),
    )
    error = _error_text(load)
    return TableRow(
        line=Text.joined([line, error], ": ") if error else line,
        cells=[
            table,
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
    totals = Text(
        "requests: {unfinished:,} unfinished, {failed:,} failed in the last day",
        unfinished=queued.unfinished,
        failed=queued.failed,
    )
    yield totals, "bold red" if queued.failed else ""
    yield TextTable(
        headings=(
            *(figures(Text("request")), Text("action"), foldable(Text("file")), Text("state")),
            *(figures(Text("load")), Text("requested by")),
        ),
        rows=[_request_row(one, now) for one in queued.requests],
    )


def _request_row(request: RequestSummary, now: datetime) -> TableRow:
    artefact = file_name(request.source_uri)
    since = time_ago_text(request.finished_at or request.requested_at, now)
    load = "" if request.load_id is None else str(request.load_id)
    error = [first_line(request.error_message)] if request.error_message else []
    status = load_word(request.status)
    if request.worker and request.status is RequestStatus.RUNNING:
        status = Text("running by {worker}", worker=request.worker)
    state, action = Text.joined([status, since]), load_word(request.action)
    line = Text(
        "request {request_id} ({action}): {file}, {state}, requested by {user}",
        request_id=request.request_id,
        action=action,
        file=artefact,
        state=state,
        user=request.requested_by,
    )
    return TableRow(
        line=Text.joined([line, *error], ": "),
        cells=[
            str(request.request_id),
            action,
            artefact,
            (Text.joined([state, *error], ": "), _REQUEST_STYLES.get(request.status, "bold red")),
            load,
            request.requested_by,
        ],
    )


def _error_text(load: LoadSummary) -> str:
    """Return the first line of the message of a failed load. Others of PostgreSQL show the statement."""
    return first_line(load.error_message) if load.error_message and load.status == "failed" else ""


def _outcome(load: LoadSummary) -> str:
    if load.is_stuck:
        return Text("stuck")
    return Text("undone") if load.error_code == "undone" else _WORDS.get(load.status) or load_word(load.status)


def _figure(number: int | None) -> str:
    return "" if number is None else f"{number:,}"
