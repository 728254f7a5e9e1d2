"""The rows that a refresh changed, as text."""

from collections.abc import Iterator

from seeder.domain.human_format import format_count
from seeder.domain.outcomes import RunSummary
from seeder.domain.row_changes import ChangedRow, RowChangeKind, RowChanges, Values
from seeder.management.rendering.command_output import Block
from seeder.management.rendering.run_text import of_view
from seeder.texts import Text

_SIGNS = {RowChangeKind.UPDATED: "~", RowChangeKind.INSERTED: "+", RowChangeKind.DELETED: "-"}


def changed_rows_blocks(summary: RunSummary) -> Iterator[Block]:
    """Yield the changes of each view that has a sample, or why it has none."""
    for view, result in summary.results.items():
        if result.changes is not None:
            yield of_view(view, _changes_text(result.changes))
            yield from map(_row_text, result.changes.rows)
        elif view.change_request is not None:
            yield of_view(view, Text("the request for changed rows waits for the next refresh that is published"))


def _changes_text(changes: RowChanges) -> Text:
    if changes.updated is None:
        return Text("no changed rows: {cause}", cause=changes.note)
    text = Text(
        "{updated:,} updated, {inserted:,} inserted, {deleted:,} deleted",
        updated=changes.updated,
        inserted=changes.inserted,
        deleted=changes.deleted,
    )
    if changes.rows:
        text = Text.joined([text, Text("shown: {rows}", rows=format_count(len(changes.rows), "row"))], "; ")
    return Text.joined([text, changes.note], ". ") if changes.note else text


def _row_text(row: ChangedRow) -> Text:
    if row.kind is RowChangeKind.UPDATED:
        values = ", ".join(f"{name} {_value(old)} → {_value(row.new[name])}" for name, old in row.old.items())
    else:
        values = _values_text(row.new or row.old)
    shown = f"  {_SIGNS[row.kind]} {_values_text(row.key)}: {values}"
    return Text.joined([shown, format_count(row.omitted, "more column")] if row.omitted else [shown])


def _values_text(values: Values) -> str:
    return ", ".join(f"{name}={_value(value)}" for name, value in values.items())


def _value(text: str | None) -> str:
    return "null" if text is None else repr(text)
