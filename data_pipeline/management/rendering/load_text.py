"""Loads as plain lines and tables."""

from collections.abc import Iterator, Sequence

from data_pipeline.domain.load_status import LoadStatus
from data_pipeline.domain.rejects import Reject
from data_pipeline.services.load_values import Loaded
from seeder.domain.human_format import format_count, format_duration, format_size
from seeder.management.rendering.command_output import Block, TableRow, TextTable

_HEADINGS = ("table", "file", "outcome", "rows>", "inserted>", "updated>", "unchanged>", "rejected>", "size>", "time>")
_MAX_REJECTS_SHOWN = 10
_MAX_RAW_SHOWN = 100  # characters


def load_blocks(loads: Sequence[Loaded]) -> Iterator[Block]:
    """Yield a table of loads, and the first rejected records of each."""
    yield TextTable(headings=_HEADINGS, rows=[_row(one) for one in loads])
    for one in loads:
        yield from _reject_blocks(one)


def _row(loaded: Loaded) -> TableRow:
    counts, name = loaded.counts, loaded.source_uri.rpartition("/")[2]
    figures = [counts.rows_in, counts.rows_inserted, counts.rows_updated, counts.rows_unchanged, counts.rows_rejected]
    if loaded.status is LoadStatus.SKIPPED:
        line = f"{loaded.target}: {name} was loaded before, as load {loaded.load_id}"
    else:
        parts = [f"{format_count(counts.rows_in or 0, 'record')} of {name}"]
        parts += [
            f"{number:,} {word}"
            for number, word in (
                (counts.rows_inserted, "inserted"),
                (counts.rows_updated, "updated"),
                (counts.rows_unchanged, "unchanged"),
                (counts.rows_deleted, "deleted"),
                (counts.rows_rejected, "rejected"),
            )
            if number
        ]
        line = f"{loaded.target}: {', '.join(parts)}, in {format_duration(loaded.duration)} (load {loaded.load_id})"
    return TableRow(
        line=line,
        cells=[
            loaded.target or "",
            name,
            ("loaded", "green") if loaded.status is LoadStatus.SUCCESS else ("skipped", "dim"),
            *("" if number is None else f"{number:,}" for number in figures),
            format_size(loaded.size_bytes),
            format_duration(loaded.duration),
        ],
    )


def _reject_blocks(loaded: Loaded) -> Iterator[Block]:
    for reject in loaded.rejects[:_MAX_REJECTS_SHOWN]:
        yield reject_line(reject)
    hidden = (loaded.counts.rows_rejected or 0) - min(len(loaded.rejects), _MAX_REJECTS_SHOWN)
    if hidden > 0:
        yield f"and {format_count(hidden, 'other reject')}: manage.py rejects {loaded.load_id}"


def reject_line(reject: Reject) -> Block:
    """Return the line, the problems and the beginning of a rejected record."""
    problems = "; ".join(f"{one.column}: {one.reason}" if one.column else one.reason for one in reject.problems)
    raw = reject.raw.decode("utf-8", "backslashreplace")
    shown = raw if len(raw) <= _MAX_RAW_SHOWN else f"{raw[:_MAX_RAW_SHOWN]}…"
    return f"line {reject.line_no}: {problems} | {shown}", "yellow"
