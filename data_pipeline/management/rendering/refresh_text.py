"""What became of the views that depend on loaded tables, as lines."""

from collections.abc import Iterator, Sequence

from data_pipeline.domain.refresh_dispatches import RefreshDispatch, RefreshOutcome
from data_pipeline.services.load_options import Loaded
from seeder.domain.human_format import format_count
from seeder.management.rendering.command_output import Block


def refresh_blocks(loads: Sequence[Loaded]) -> Iterator[Block]:
    """Yield the refreshes that loads have requested, each once."""
    shown = set[Block]()
    for loaded in loads:
        for block in dispatch_blocks(loaded.target or "", loaded.refresh) if loaded.refresh else ():
            if block not in shown:
                shown.add(block)
                yield block


def dispatch_blocks(table: str, refresh: RefreshDispatch) -> Iterator[Block]:
    """Yield what became of the views that depend on a table."""
    views = f"{format_count(len(refresh.views), 'view')}: {', '.join(refresh.views)}"
    match refresh.outcome:
        case RefreshOutcome.QUEUED:
            yield f"{table}: queued a refresh of {views} (request {refresh.request_id})"
        case RefreshOutcome.REFRESHED:
            yield f"{table}: refreshed {views}"
        case RefreshOutcome.UNNEEDED:
            yield f"{table}: no view depends on it"
        case RefreshOutcome.DISABLED:
            yield f"{table}: no view is refreshed, because REFRESH_AFTER_LOAD is false"
        case RefreshOutcome.SEEDER_MISSING:
            yield f"{table}: no view is refreshed, because 'seeder' is not installed"
        case RefreshOutcome.UNDISPATCHED:
            cause = f" {refresh.problem}" if refresh.problem else ""
            yield f"{table}: the refresh is not queued yet.{cause} The next load or watch_queue repeats it.", "yellow"
    for view, message in refresh.failures.items():
        yield f"{view}: {message}", "red"
    if refresh.undetermined:
        names = ", ".join(refresh.undetermined)
        yield (
            (
                f"{table}: not refreshed, because they may depend on it through functions with text bodies: {names}."
                f" Declare what they read in a line of the query: -- depends_on: {table}"
            ),
            "yellow",
        )
