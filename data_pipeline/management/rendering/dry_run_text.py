"""What loads would do, as lines."""

from collections.abc import Iterator, Sequence

from data_pipeline.domain.uris import file_name
from data_pipeline.management.rendering.load_text import counted_rows, reject_line
from data_pipeline.services.dry_run import DryRun, ViewChange
from seeder.domain.human_format import format_count
from seeder.management.rendering.command_output import Block
from seeder.texts import Text

_MAX_REJECTS_SHOWN = 10


def dry_run_blocks(runs: Sequence[DryRun]) -> Iterator[Block]:
    """Yield what each load would do to its table and to views."""
    for one in runs:
        yield from _blocks(one)
    yield Text("Dry run: everything was rolled back."), "bold"


def _blocks(one: DryRun) -> Iterator[Block]:
    name, table = file_name(one.source_uri), one.target or ""
    facts = {"table": table, "file": name, "load_id": one.loaded_before_as}
    if one.loaded_before_as is not None:
        yield Text("{table}: {file} was loaded before, as load {load_id}, and would be skipped", **facts), "dim"
        return
    if one.creates_table:
        yield Text("{table}: would be created with the columns {columns}", table=table, columns=_columns(one))
    elif one.added_columns:
        yield Text("{table}: would get the columns {columns}", table=table, columns=_columns(one))
    yield Text.joined([table, _counts_text(one, name)], ": "), "bold red" if one.refusal else ""
    yield from map(reject_line, one.rejects[:_MAX_REJECTS_SHOWN])
    for view in one.views:
        yield Text.joined([view.view, _view_text(view)], ": "), "red" if view.problem else ""
    if one.undetermined:
        yield (
            Text(
                "{table}: views that may depend on it through functions with text bodies: {views}",
                table=table,
                views=", ".join(one.undetermined),
            ),
            "yellow",
        )


def _columns(one: DryRun) -> str:
    return ", ".join(f"{name} {kind}" for name, kind in one.added_columns.items())


def _counts_text(one: DryRun, name: str) -> Text:
    if one.refusal:
        return Text("nothing of {file} would be loaded: {reason}", file=name, reason=one.refusal)
    records, changes = format_count(one.counts.rows_in or 0, "record"), list(counted_rows(one.counts))
    return Text(
        "would load {records} of {file}: {changes}",
        records=records,
        file=name,
        changes=Text.joined(changes) if changes else Text("nothing changes"),
    )


def _view_text(view: ViewChange) -> Text:
    if view.problem is not None:
        return Text("the refresh would fail: {problem}", problem=view.problem)
    before = format_count(view.rows_before or 0, "row")
    if not (view.rows_added or view.rows_removed):
        return Text("none of {rows} would change", rows=before)
    return Text(
        "{rows} would become {after:,}: {added:,} new, {removed:,} removed",
        rows=before,
        after=view.rows_after or 0,
        added=view.rows_added or 0,
        removed=view.rows_removed or 0,
    )
