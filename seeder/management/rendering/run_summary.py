"""The end of a run as text: what failed, what was left, the slowest views, and how to retry."""

from collections.abc import Iterator, Set

from seeder.domain.group_endings import summary_groups
from seeder.domain.human_format import format_count, format_duration, format_names, format_size
from seeder.domain.manifests import ViewKey
from seeder.domain.outcomes import RefreshResult, RunSummary
from seeder.domain.plan import PlannedView
from seeder.management.rendering.command_output import Block, TableRow, TextTable, Verbatim
from seeder.management.rendering.run_text import (
    OUTCOME_STYLES,
    failure_text,
    first_line,
    outcome_text,
    rejection_block,
)

_SLOWEST_SHOWN = 3  # views, if more than twice as many ended


def summary_blocks(summary: RunSummary, *, started: Set[ViewKey], is_terminal: bool) -> Iterator[Block]:
    """Yield the end of a run whose lines are shown. Failures have their complete messages on a terminal."""
    if is_terminal:
        yield ""
    for view, result in summary.results.items():
        if result.failure is not None:
            message = result.failure.message if is_terminal else first_line(result.failure.message)
            yield f"{result.outcome}: {view.key.name}: {failure_text(result, message)}", "red"
    yield from _interrupted_blocks(summary, started)
    yield from _group_blocks(summary)
    if len(summary.results) > 2 * _SLOWEST_SHOWN:
        for view, result in summary.slowest(_SLOWEST_SHOWN):
            yield f"slowest: {view.key.name} {format_duration(result.duration)}"
    yield from totals_blocks(summary)


def table_blocks(summary: RunSummary) -> Iterator[Block]:
    """Yield the end of a run as a table of all views."""
    results = sorted(summary.results.items(), key=lambda item: item[0].key)
    yield TextTable(
        headings=("view", "report+", "outcome", "rows>", "size>", "time>"),
        rows=[_result_row(view, result) for view, result in results]
        + [_table_row(view, ("interrupted", "bold red"), "", "", "") for view in summary.interrupted],
    )
    for view, result in results:
        if result.failure is not None:
            yield f"{view.key.name}: {failure_text(result, result.failure.message)}", "red"
        yield from ((f"{view.key.name}: {note}", "yellow") for note in result.notes)
    yield from _group_blocks(summary)
    yield from map(rejection_block, summary.rejected)
    if summary.results or summary.interrupted or summary.rejected:
        yield from totals_blocks(summary)


def _interrupted_blocks(summary: RunSummary, started: Set[ViewKey]) -> Iterator[Block]:
    waiting = []
    for view in summary.interrupted:
        if view.key in started:
            yield f"interrupted: {view.key.name}", "red"
        else:
            waiting.append(str(view.key.name))
    if waiting:
        yield f"not started: {format_names(waiting, 'view')}", "yellow"


def _group_blocks(summary: RunSummary) -> Iterator[Block]:
    for group in summary_groups(summary):
        yield f"consistent group {group.name}: {group}", "" if group.is_complete else "yellow"


def totals_blocks(summary: RunSummary) -> Iterator[Block]:
    """Yield the totals of a run, and the command that retries what is left."""
    is_retried = summary.failed or summary.interrupted
    yield _totals_text(summary), "bold red" if is_retried or summary.stopped_by else "bold green"
    if is_retried:
        yield Verbatim(f"retry: manage.py retry_run {summary.run_id}")


def _totals_text(summary: RunSummary) -> str:
    held = f" ({summary.held} of them held)" if summary.held else ""
    skipped = f" ({summary.skipped} of them skipped)" if summary.skipped else ""
    counts = f"{summary.succeeded} succeeded{skipped}, {summary.failed} failed{held}"
    if summary.stopped_by:
        counts = f"stopped by {summary.stopped_by}: {counts}, {len(summary.interrupted)} interrupted"
    return f"run {summary.run_id}: {counts} in {format_duration(summary.duration)}"


def _result_row(view: PlannedView, result: RefreshResult) -> TableRow:
    rows = "" if result.failure or result.rows is None else f"{result.rows:,}"
    size = "" if result.failure else format_size(result.size_bytes)
    outcome = outcome_text(result), OUTCOME_STYLES[result.outcome]
    return _table_row(view, outcome, rows, size, format_duration(result.duration))


def _table_row(view: PlannedView, outcome: tuple[str, str], *figures: str) -> TableRow:
    first, *others = view.spec.manifests
    report = first.report_name + (f" (and {format_count(len(others), 'other')})" if others else "")
    return TableRow(line="", cells=(str(view.key.name), report, outcome, *figures))
