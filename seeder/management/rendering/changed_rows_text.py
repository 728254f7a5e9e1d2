"""The rows that a refresh changed, as text."""

from collections.abc import Iterator

from seeder.domain.human_format import format_count
from seeder.domain.outcomes import RunSummary
from seeder.domain.row_changes import ChangedRow, RowChangeKind, RowChanges, Values
from seeder.management.rendering.command_output import Block

_SIGNS = {RowChangeKind.UPDATED: "~", RowChangeKind.INSERTED: "+", RowChangeKind.DELETED: "-"}


def changed_rows_blocks(summary: RunSummary) -> Iterator[Block]:
    """Yield the changes of each view that has a sample, or why it has none."""
    for view, result in summary.results.items():
        if result.changes is not None:
            yield f"{view.key.name}: {_changes_text(result.changes)}"
            yield from map(_row_text, result.changes.rows)
        elif view.change_request is not None:
            yield f"{view.key.name}: the request for changed rows waits for the next refresh that is published"


def _changes_text(changes: RowChanges) -> str:
    if changes.updated is None:
        return f"no changed rows: {changes.note}"
    counts = f"{changes.updated:,} updated, {changes.inserted:,} inserted, {changes.deleted:,} deleted"
    shown = f"; shown: {format_count(len(changes.rows), 'row')}" if changes.rows else ""
    return f"{counts}{shown}" + (f". {changes.note}" if changes.note else "")


def _row_text(row: ChangedRow) -> str:
    if row.kind is RowChangeKind.UPDATED:
        values = ", ".join(f"{name} {_value(old)} → {_value(row.new[name])}" for name, old in row.old.items())
    else:
        values = _values_text(row.new or row.old)
    omitted = f", {format_count(row.omitted, 'more column')}" if row.omitted else ""
    return f"  {_SIGNS[row.kind]} {_values_text(row.key)}: {values}{omitted}"


def _values_text(values: Values) -> str:
    return ", ".join(f"{name}={_value(value)}" for name, value in values.items())


def _value(text: str | None) -> str:
    return "null" if text is None else repr(text)
