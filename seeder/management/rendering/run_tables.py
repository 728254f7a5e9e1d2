"""Plans and summaries as tables."""

import os
from collections.abc import Iterable
from typing import IO, Self, cast

from django.core.management.base import OutputWrapper
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from seeder.domain.human_format import format_count, format_duration, format_size
from seeder.domain.manifests import RejectedManifest
from seeder.domain.outcomes import Outcome, RefreshResult, RunSummary
from seeder.domain.plan import PlannedView, RefreshPlan
from seeder.domain.refresh_requests import RefreshRequest
from seeder.domain.result_notes import definition_drift_note
from seeder.domain.run_events import RunEnded, RunEvent, RunStarted, RunWarning
from seeder.management.rendering.run_event_lines import nothing_to_refresh_text, outcome_text, summary_text

# In characters: a page where neither a terminal nor COLUMNS says otherwise, the least that a report's name gets beside
# its view before it goes below it, and what the columns after them take.
_DEFAULT_WIDTH, _MIN_REPORT_WIDTH, _NUMBER_COLUMNS_WIDTH = 132, 20, 48
_OUTCOME_STYLES = {Outcome.CREATED: "green", Outcome.REFRESHED: "green", Outcome.FAILED: "bold red"}


class RunTables:
    """Silent until the end, then a table."""

    def __init__(self, out: OutputWrapper, request: RefreshRequest, *, color: bool = True) -> None:
        self.console = create_console(out, color=color)
        self._request = request

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def show_plan(self, plan: RefreshPlan) -> None:
        if self._print_if_empty(plan):
            return
        table = create_table("view", "action", "after", "expected>")
        for view in plan.views:
            table.add_row(
                Text(str(view.key.name)),
                view.action,
                Text("\n".join(sorted(str(key.name) for key in view.depends_on))),
                "" if view.expected_duration is None else format_duration(view.expected_duration),
            )
        self.console.print(table)
        self._print_notes((view, map(definition_drift_note, view.definition_drift)) for view in plan.views)
        self._print_rejections(plan.rejected)
        for notice in plan.warnings:
            self.console.print(Text(notice))

    def on_event(self, event: RunEvent) -> None:
        match event:
            case RunStarted(plan=plan):
                self._print_if_empty(plan)
            case RunWarning(message=message):
                self.console.print(Text(message))
            case RunEnded(summary=summary) if summary.results or summary.interrupted or summary.rejected:
                self._print_summary(summary)

    def _print_if_empty(self, plan: RefreshPlan) -> bool:
        empty = not plan.views and not plan.rejected
        if empty:
            self.console.print(Text(nothing_to_refresh_text(self._request)))
        return empty

    def _print_summary(self, summary: RunSummary) -> None:
        views = (*summary.results, *summary.interrupted)
        max_name_length = max((len(str(view.key.name)) for view in views), default=0)
        is_narrow = self.console.width < max_name_length + _MIN_REPORT_WIDTH + _NUMBER_COLUMNS_WIDTH
        table = create_table(*(("view",) if is_narrow else ("view", "report")), "outcome", "rows>", "size>", "time>")
        for view, result in sorted(summary.results.items(), key=lambda item: item[0].key):
            name, report = Text(str(view.key.name)), _report_text(view)
            table.add_row(
                *((Text("\n  ").join([name, report]),) if is_narrow else (name, report)),
                Text(outcome_text(result), style=_OUTCOME_STYLES[result.outcome]),
                *(("", "") if result.failure else (f"{result.rows:,}", format_size(result.size_bytes))),
                format_duration(result.duration),
            )
        for view in summary.interrupted:
            table.add_row(
                Text(str(view.key.name)),
                *(() if is_narrow else (_report_text(view),)),
                Text("interrupted", style="bold red"),
            )
        self.console.print(table)
        self._print_failures(summary.results.items())
        self._print_notes((view, result.notes) for view, result in summary.results.items())
        self._print_rejections(summary.rejected)
        style = "bold red" if summary.failed or summary.stopped_by else "bold green"
        self.console.print(Text.assemble((summary_text(summary), style), (f"  run {summary.run_id}", "dim")))

    def _print_failures(self, results: Iterable[tuple[PlannedView, RefreshResult]]) -> None:
        for view, result in results:
            if result.failure is not None:
                failure = result.failure
                self.console.print(
                    Text.assemble((f"{view.key.name} ", "bold red"), f"{failure.reason}: {failure.message}")
                )

    def _print_notes(self, notes: Iterable[tuple[PlannedView, Iterable[str]]]) -> None:
        for view, view_notes in notes:
            for note in view_notes:
                self.console.print(Text.assemble((f"{view.key.name} ", "yellow"), note))

    def _print_rejections(self, rejected_manifests: Iterable[RejectedManifest]) -> None:
        for rejected in rejected_manifests:
            manifest_label = f"{rejected.manifest.report_name} ({rejected.manifest.agency_slug}) "
            self.console.print(Text.assemble((manifest_label, "bold red"), rejected.message))


def create_console(out: OutputWrapper, *, color: bool) -> Console:
    """For tables: as wide as the terminal is."""
    out.ending = ""  # Rich brings its own line ends; Django would add one to each of its writes
    width = None if out.isatty() or "COLUMNS" in os.environ else _DEFAULT_WIDTH
    return Console(file=cast("IO[str]", out), width=width, no_color=not color or None, highlight=False, emoji=False)


def create_table(*headings: str) -> Table:
    """A table with these headings; one that ends in > is that of a column of figures, which never wrap."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in headings:
        table.add_column(
            heading.rstrip(">"),
            justify="right" if heading.endswith(">") else "left",
            no_wrap=heading not in ("view", "report", "after", "request", "state", "schedule"),
            overflow="fold",
        )
    return table


def _report_text(view: PlannedView) -> Text:
    first, *others = view.spec.manifests
    return Text(first.report_name + (f" (and {format_count(len(others), 'other')})" if others else ""))
