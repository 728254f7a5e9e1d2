"""The end of a run as text: what failed, what was left, the slowest views, and how to retry."""

from collections.abc import Iterator, Set

from seeder.domain.group_endings import summary_groups
from seeder.domain.human_format import format_duration, format_names, format_size
from seeder.domain.manifests import ViewKey
from seeder.domain.monitoring.state_words import state_word
from seeder.domain.monitoring.view_counts import count_text
from seeder.domain.outcomes import RefreshResult, RunSummary
from seeder.domain.plan import PlannedView
from seeder.management.rendering.command_output import Block, TableRow, TextTable, Verbatim, figures, foldable
from seeder.management.rendering.plain_figures import count_figure
from seeder.management.rendering.run_text import (
    OUTCOME_STYLES,
    and_others,
    failure_text,
    first_line,
    of_view,
    outcome_text,
    rejection_block,
)
from seeder.texts import Text

_SLOWEST_SHOWN = 3  # views, if more than twice as many ended


def summary_blocks(summary: RunSummary, *, started: Set[ViewKey], is_terminal: bool) -> Iterator[Block]:
    """Yield the end of a run whose lines are shown. Failures have their complete messages on a terminal."""
    if is_terminal:
        yield ""
    for view, result in summary.results.items():
        if result.failure is not None:
            message = result.failure.message if is_terminal else first_line(result.failure.message)
            text = of_view(view, failure_text(result, message))
            yield Text.joined([state_word(result.outcome), text], ": "), "red"
    yield from _interrupted_blocks(summary, started)
    yield from _group_blocks(summary)
    if len(summary.results) > 2 * _SLOWEST_SHOWN:
        for view, result in summary.slowest(_SLOWEST_SHOWN):
            yield Text("slowest: {view} {duration}", view=view.key.name, duration=format_duration(result.duration))
    yield from totals_blocks(summary)


def table_blocks(summary: RunSummary) -> Iterator[Block]:
    """Yield the end of a run as a table of all views."""
    results = sorted(summary.results.items(), key=lambda item: item[0].key)
    yield TextTable(
        headings=(
            *(Text("view"), foldable(Text("report")), Text("outcome")),
            *(figures(Text("rows")), figures(Text("size")), figures(Text("time"))),
        ),
        rows=[_result_row(view, result) for view, result in results]
        + [_table_row(view, (Text("interrupted"), "bold red"), "", "", "") for view in summary.interrupted],
    )
    for view, result in results:
        if result.failure is not None:
            yield of_view(view, failure_text(result, result.failure.message)), "red"
        yield from ((of_view(view, note), "yellow") for note in result.notes)
    yield from _group_blocks(summary)
    yield from map(rejection_block, summary.rejected)
    if summary.results or summary.interrupted or summary.rejected:
        yield from totals_blocks(summary)


def _interrupted_blocks(summary: RunSummary, started: Set[ViewKey]) -> Iterator[Block]:
    waiting = []
    for view in summary.interrupted:
        if view.key in started:
            yield Text("interrupted: {view}", view=view.key.name), "red"
        else:
            waiting.append(str(view.key.name))
    if waiting:
        yield Text("not started: {views}", views=format_names(waiting, "view")), "yellow"


def _group_blocks(summary: RunSummary) -> Iterator[Block]:
    for group in summary_groups(summary):
        text = Text("consistent group {name}: {result}", name=group.name, result=str(group))
        yield text, "" if group.is_complete else "yellow"


def totals_blocks(summary: RunSummary) -> Iterator[Block]:
    """Yield the totals of a run, and the command that retries what is left."""
    is_retried = summary.failed or summary.interrupted
    yield _totals_text(summary), "bold red" if is_retried or summary.stopped_by else "bold green"
    if is_retried:
        yield Verbatim(Text("retry: {command}", command=f"manage.py retry_run {summary.run_id}"))


def _totals_text(summary: RunSummary) -> Text:
    counts = _counts_text(summary)
    duration = format_duration(summary.duration)
    if not summary.stopped_by:
        return Text("run {run_id}: {counts} in {duration}", run_id=summary.run_id, counts=counts, duration=duration)
    return Text(
        "run {run_id}: stopped ({cause}): {counts} in {duration}",
        run_id=summary.run_id,
        cause=summary.stopped_by,
        counts=counts,
        duration=duration,
    )


def _counts_text(summary: RunSummary) -> Text:
    succeeded, failed = count_text("succeeded", summary.succeeded), count_text("failed", summary.failed)
    if summary.skipped:
        succeeded = Text.counted_in_context(
            "views",
            "{number:,} succeeded ({skipped:,} of them skipped)",
            "{number:,} succeeded ({skipped:,} of them skipped)",
            summary.succeeded,
            skipped=summary.skipped,
        )
    if summary.held:
        failed = Text.counted_in_context(
            "views",
            "{number:,} failed ({held:,} of them held)",
            "{number:,} failed ({held:,} of them held)",
            summary.failed,
            held=summary.held,
        )
    interrupted = [count_text("interrupted", len(summary.interrupted))] if summary.stopped_by else []
    return Text.joined([succeeded, failed, *interrupted])


def _result_row(view: PlannedView, result: RefreshResult) -> TableRow:
    rows = "" if result.failure or result.rows is None else count_figure(result.rows)
    size = "" if result.failure else format_size(result.size_bytes)
    outcome = outcome_text(result), OUTCOME_STYLES[result.outcome]
    return _table_row(view, outcome, rows, size, format_duration(result.duration))


def _table_row(view: PlannedView, outcome: tuple[str, str], *figures: str) -> TableRow:
    first, *others = view.spec.manifests
    report = and_others(first.report_name, len(others), "report")
    return TableRow(line="", cells=(str(view.key.name), report, outcome, *figures))
