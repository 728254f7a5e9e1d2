"""Shows a run: lines as its views end, a final table, or JSON at the end or for each event."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

from seeder.domain.admission_types import HoldReason
from seeder.domain.refresh_requests import RefreshRequest, SingleView
from seeder.domain.run_events import RunEnded, RunEvent, RunStarted, RunWarning, StartsHeld, StartsResumed
from seeder.management.rendering.changed_rows_text import changed_rows_blocks
from seeder.management.rendering.command_output import Block, CommandOutput
from seeder.management.rendering.run_lines import RunLines
from seeder.management.rendering.run_summary import table_blocks
from seeder.management.rendering.run_text import empty_plan_blocks
from seeder.services.documents.event_documents import event_document
from seeder.services.documents.run_documents import run_document

EventListener = Callable[[RunEvent], None]


@contextmanager
def show_run(output: CommandOutput, request: RefreshRequest) -> Iterator[EventListener]:
    """Yield the listener that prints a run. On a terminal it also draws live progress."""
    print_event = _json_lines_listener(output, request) if output.is_json_lines else _print_listener(output, request)
    if not output.is_terminal or output.is_quiet:
        yield print_event
        return
    from seeder.management.rendering.live_progress import LiveProgress

    with closing(LiveProgress(output.console)) as live:

        def on_event(event: RunEvent) -> None:
            with live.undisturbed():
                live.on_event(event)
                print_event(event)

        yield on_event


def _shows_changed_rows(request: RefreshRequest) -> bool:
    return isinstance(request, SingleView) and request.max_changed_rows is not None


def _json_lines_listener(output: CommandOutput, request: RefreshRequest) -> EventListener:
    with_changed_rows = _shows_changed_rows(request)
    return lambda event: output.show(event_document(event, with_changed_rows=with_changed_rows), [])


def _print_listener(output: CommandOutput, request: RefreshRequest) -> EventListener:
    lines = RunLines(request, verbosity=output.verbosity, is_terminal=output.is_terminal)
    with_changed_rows = _shows_changed_rows(request)
    warnings: list[str] = []
    shown_holds: dict[str, HoldReason] = {}  # by database

    def on_event(event: RunEvent) -> None:
        match event:
            case RunWarning(message=message):
                warnings.append(message)
            case StartsHeld(database=database, hold=hold):
                if shown_holds.get(database) is hold.reason:
                    return  # only its figures changed
                shown_holds[database] = hold.reason
            case StartsResumed(database=database):
                shown_holds.pop(database, None)
            case RunEnded(summary=summary) if output.is_json:  # a document of all views takes time to build
                output.show(run_document(summary, warnings, with_changed_rows=with_changed_rows), [])
        output.show_text(_final_table(event, request) if output.has_table_option else lines.blocks(event))
        if with_changed_rows and isinstance(event, RunEnded):
            output.show_text(changed_rows_blocks(event.summary))

    return on_event


def _final_table(event: RunEvent, request: RefreshRequest) -> Iterator[Block]:
    """Yield warnings, and at the end a table of all views."""
    match event:
        case RunStarted(plan=plan):
            yield from empty_plan_blocks(plan, request)
        case RunWarning(message=message):
            yield message
        case RunEnded(summary=summary):
            yield from table_blocks(summary)
