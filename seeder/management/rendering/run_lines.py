"""The events of a run as lines: one for each view as it ends, and a summary at the end."""

from collections.abc import Iterator

from seeder.domain import run_events
from seeder.domain.human_format import format_count, format_duration
from seeder.domain.manifests import ViewKey
from seeder.domain.monitoring.state_words import state_word
from seeder.domain.outcomes import Outcome, RefreshResult, RunSummary
from seeder.domain.plan import PlannedView
from seeder.domain.refresh_requests import RefreshRequest
from seeder.management.rendering.command_output import Block, TableRow
from seeder.management.rendering.run_summary import summary_blocks, totals_blocks
from seeder.management.rendering.run_text import (
    OUTCOME_STYLES,
    empty_plan_blocks,
    failure_text,
    first_line,
    of_view,
    rejection_block,
    result_text,
    short_facts,
    skip_text,
    with_reasons,
)
from seeder.services.translation import translated
from seeder.texts import Text

_QUIET, _DETAILED = 0, 2
_MAX_NAME_WIDTH = 48  # characters to which shorter names are padded


class RunLines:
    """Turns each event of a run into blocks.

    `verbosity` is Django's: 0 has only what failed, and 2 also each start and the reasons of modes and skips.
    """

    def __init__(self, request: RefreshRequest, *, verbosity: int, is_terminal: bool) -> None:
        self._request, self._verbosity, self._is_terminal = request, verbosity, is_terminal
        self._total = self._ended_count = self._name_width = 0
        self._started = set[ViewKey]()

    def blocks(self, event: run_events.RunEvent) -> Iterator[Block]:
        """Yield the lines of an event."""
        match event:
            case run_events.RunStarted(plan=plan):
                yield from self._started_blocks(event)
                yield from map(rejection_block, plan.rejected)
            case run_events.ViewStarted(view=view):
                self._started.add(view.key)
                if self._verbosity >= _DETAILED:
                    yield Text("{view}: started", view=view.key.name)
            case run_events.ViewPostponed(view=view):
                self._started.discard(view.key)
            case run_events.ViewEnded(view=view, result=result):
                self._ended_count += 1
                if self._verbosity > _QUIET or result.failure is not None:
                    yield from self._ended_blocks(view, result)
            case run_events.RunWarning(message=message):
                yield message, "yellow"
            case run_events.RunEnded(summary=summary):
                yield from self._summary_blocks(summary)
            case _ if self._verbosity > _QUIET:
                yield from _pause_blocks(event)

    def _summary_blocks(self, summary: RunSummary) -> Iterator[Block]:
        if self._verbosity > _QUIET:
            yield from summary_blocks(summary, started=self._started, is_terminal=self._is_terminal)
        elif summary.failed or summary.stopped_by:
            yield from totals_blocks(summary)

    def _started_blocks(self, event: run_events.RunStarted) -> Iterator[Block]:
        names = [str(view.key.name) for view in event.plan.views]
        self._total = len(names)
        self._name_width = min(max(map(len, names), default=0), _MAX_NAME_WIDTH)
        if self._verbosity > _QUIET:
            yield Text(
                "run {run_id}: {views}, {workers}",
                run_id=event.run_id,
                views=format_count(self._total, "view"),
                workers=format_count(event.workers, "worker"),
            )
            yield from empty_plan_blocks(event.plan, self._request)

    def _ended_blocks(self, view: PlannedView, result: RefreshResult) -> Iterator[Block]:
        name = str(view.key.name)
        number = f"[{self._ended_count:>{len(str(self._total))}}/{self._total}]"
        reasons = [result.mode_reason, skip_text(view, result)]
        line = with_reasons(Text.joined([f"{number} {name}", result_text(result)], ": "), *reasons)
        yield TableRow(line=line, cells=[(number, "dim"), *self._cells(name, result)])
        if self._is_terminal and self._verbosity >= _DETAILED:
            yield from ((Text.joined(["    ", reason], ""), "dim") for reason in reasons if reason)
        if result.failure is not None and result.outcome is Outcome.HELD:
            yield from (f"{name}: {line}" for line in result.failure.message.splitlines()[1:])
        yield from ((of_view(view, note), "yellow") for note in result.notes)

    def _cells(self, name: str, result: RefreshResult) -> Iterator[tuple[str, str]]:
        style = OUTCOME_STYLES[result.outcome]
        outcomes = {one: translated(state_word(one)) for one in Outcome}
        yield outcomes[result.outcome].ljust(max(map(len, outcomes.values()))), style
        duration = format_duration(result.duration)
        if result.failure is not None:
            yield name, style
            yield duration, style
            yield failure_text(result, first_line(result.failure.message)), style
            return
        yield name.ljust(self._name_width), ""
        yield ("" if result.rows is None else translated(format_count(result.rows, "row"))).rjust(12), ""
        yield translated(duration).rjust(8), ""
        yield Text.joined(short_facts(result)), "dim"


def _pause_blocks(event: run_events.RunEvent) -> Iterator[Block]:
    """Yield lines about waiting and vacuuming."""
    match event:
        case run_events.StartsHeld(hold=hold):
            yield Text("waiting: {cause}", cause=hold.message), "yellow"
        case run_events.StartsResumed(database=database, duration=duration):
            yield Text("resumed in {database} after {duration}", database=database, duration=format_duration(duration))
        case run_events.ViewsVacuumed(views=vacuumed, skipped=skipped, duration=duration):
            views = format_count(len(vacuumed), "view")
            yield Text("vacuumed {views} in {duration}", views=views, duration=format_duration(duration))
            yield from (
                Text("{view}: not vacuumed: {cause}", view=view.key.name, cause=cause)
                for view, cause in skipped.items()
            )
