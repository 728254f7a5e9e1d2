"""What loads would do, as lines."""

from collections.abc import Iterator, Sequence

from data_pipeline.domain.uris import file_name
from data_pipeline.management.rendering.load_text import reject_line
from data_pipeline.services.dry_run import DryRun, ViewChange
from seeder.domain.human_format import format_count
from seeder.management.rendering.command_output import Block

_MAX_REJECTS_SHOWN = 10


def dry_run_blocks(runs: Sequence[DryRun]) -> Iterator[Block]:
    """Yield what each load would do to its table and to views."""
    for one in runs:
        yield from _blocks(one)
    yield "Dry run: everything was rolled back.", "bold"


def _blocks(one: DryRun) -> Iterator[Block]:
    name, table = file_name(one.source_uri), one.target or ""
    if one.loaded_before_as is not None:
        yield f"{table}: {name} was loaded before, as load {one.loaded_before_as}, and would be skipped", "dim"
        return
    if one.creates_table:
        yield f"{table}: would be created with the columns {_columns(one)}"
    elif one.added_columns:
        yield f"{table}: would get the columns {_columns(one)}"
    yield f"{table}: {_counts_text(one, name)}", "bold red" if one.refusal else ""
    yield from map(reject_line, one.rejects[:_MAX_REJECTS_SHOWN])
    for view in one.views:
        yield f"{view.view}: {_view_text(view)}", "red" if view.problem else ""
    if one.undetermined:
        names = ", ".join(one.undetermined)
        yield f"{table}: views that may depend on it through functions with text bodies: {names}", "yellow"


def _columns(one: DryRun) -> str:
    return ", ".join(f"{name} {kind}" for name, kind in one.added_columns.items())


def _counts_text(one: DryRun, name: str) -> str:
    counts, records = one.counts, format_count(one.counts.rows_in or 0, "record")
    if one.refusal:
        return f"nothing of {name} would be loaded: {one.refusal}"
    numbers = [
        (counts.rows_inserted, "inserted"),
        (counts.rows_updated, "updated"),
        (counts.rows_unchanged, "unchanged"),
        (counts.rows_deleted, "deleted"),
        (counts.rows_rejected, "rejected"),
    ]
    parts = [f"{number:,} {word}" for number, word in numbers if number]
    return f"would load {records} of {name}: {', '.join(parts) or 'nothing changes'}"


def _view_text(view: ViewChange) -> str:
    if view.problem is not None:
        return f"the refresh would fail: {view.problem}"
    if not (view.rows_added or view.rows_removed):
        return f"none of {format_count(view.rows_before or 0, 'row')} would change"
    before, after = format_count(view.rows_before or 0, "row"), view.rows_after or 0
    return f"{before} would become {after:,}: {view.rows_added or 0:,} new, {view.rows_removed or 0:,} removed"
