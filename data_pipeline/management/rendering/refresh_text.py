"""What became of the views that depend on loaded tables, as lines."""

from collections.abc import Iterator, Sequence

from data_pipeline.domain.refresh_dispatches import RefreshDispatch, RefreshOutcome
from data_pipeline.services.load_options import Loaded
from seeder.domain.human_format import format_count
from seeder.management.rendering.command_output import Block
from seeder.texts import Text


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
    views = Text.joined([format_count(len(refresh.views), "view"), ", ".join(refresh.views)], ": ")
    match refresh.outcome:
        case RefreshOutcome.QUEUED:
            yield Text(
                "{table}: queued a refresh of {views} (request {request_id})",
                table=table,
                views=views,
                request_id=refresh.request_id,
            )
        case RefreshOutcome.REFRESHED:
            yield Text("{table}: refreshed {views}", table=table, views=views)
        case RefreshOutcome.UNNEEDED:
            yield Text("{table}: no view depends on it", table=table)
        case RefreshOutcome.DISABLED:
            yield Text("{table}: no view is refreshed, because REFRESH_AFTER_LOAD is false", table=table)
        case RefreshOutcome.SEEDER_MISSING:
            yield Text("{table}: no view is refreshed, because 'seeder' is not installed", table=table)
        case RefreshOutcome.UNDISPATCHED:
            parts = [
                Text("{table}: the refresh is not queued yet.", table=table),
                *([refresh.problem] if refresh.problem else []),
                Text("The next load or watch_queue repeats it."),
            ]
            yield Text.joined(parts, " "), "yellow"
    for view, message in refresh.failures.items():
        yield Text.joined([view, message], ": "), "red"
    if refresh.undetermined:
        message = Text(
            "{table}: not refreshed, because they may depend on it through functions with text bodies: {views}. Declare"
            " what they read in a line of the query: -- depends_on: {table}",
            table=table,
            views=", ".join(refresh.undetermined),
        )
        yield message, "yellow"
