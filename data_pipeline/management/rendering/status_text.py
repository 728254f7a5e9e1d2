"""The state of loads as plain lines and tables."""

from collections.abc import Iterator

from django.utils import timezone

from data_pipeline.domain.load_states import LoadState
from data_pipeline.services.load_status import LoadOverview
from seeder.domain.human_format import format_count
from seeder.management.rendering.command_output import Block, TableRow, TextTable

_HEADINGS = ("load>", "table", "source+", "outcome", "rows>", "changed>", "rejected>", "updated", "error+")
_STYLES = {"success": "green", "skipped": "dim", "pending": "cyan", "undone": "dim"}


def overview_blocks(overview: LoadOverview) -> Iterator[Block]:
    late = format_count(len(overview.late), "late table")
    yield f"{format_count(len(overview.loads), 'load')}: {overview.failing:,} failing, {overview.stuck:,} stuck; {late}"
    yield TextTable(headings=_HEADINGS, rows=[_row(load) for load in overview.loads])
    if overview.stuck:
        yield "Stuck loads have no process any more: `manage.py recover_loads` closes them.", "yellow"
    for table in overview.late:
        yield f"{table.table}: last loaded {timezone.localtime(table.last_success):%Y-%m-%d %H:%M %Z}", "yellow"


def _row(load: LoadState) -> TableRow:
    outcome = _outcome(load)
    changed = sum(one or 0 for one in (load.rows_inserted, load.rows_updated, load.rows_deleted))
    updated = f"{timezone.localtime(load.updated_at):%Y-%m-%d %H:%M %Z}"
    parts = [outcome, f"{format_count(changed, 'row')} changed", updated]
    if load.rows_rejected:
        parts.insert(2, f"{load.rows_rejected:,} rejected")
    error = f": {load.error_message}" if load.error_message and load.status == "failed" else ""
    return TableRow(
        line=f"load {load.load_id} of {load.source} into {load.table or 'no table'}: {', '.join(parts)}{error}",
        cells=[
            str(load.load_id),
            load.table or "",
            (load.source_uri or load.source).rpartition("/")[2],
            (outcome, _STYLES.get(outcome, "bold red")),
            _figure(load.rows_in),
            f"{changed:,}",
            _figure(load.rows_rejected),
            updated,
            load.error_message or "",
        ],
    )


def _outcome(load: LoadState) -> str:
    if load.is_stuck:
        return "stuck"
    return "undone" if load.error_code == "undone" else load.status


def _figure(number: int | None) -> str:
    return "" if number is None else f"{number:,}"
