"""Loads as plain lines and tables."""

from collections.abc import Iterator, Mapping, Sequence

from data_pipeline.domain.load_counts import LoadCounts
from data_pipeline.domain.load_status import LoadStatus
from data_pipeline.domain.rejects import Reject
from data_pipeline.domain.uris import file_name
from data_pipeline.services.load_options import Loaded
from seeder.domain.human_format import format_count, format_duration, format_size
from seeder.management.rendering.command_output import Block, TableRow, TextTable

_MAX_REJECTS_SHOWN = 10
_MAX_RAW_SHOWN = 100  # characters


def load_blocks(loads: Sequence[Loaded]) -> Iterator[Block]:
    """Yield a table of loads, and the first rejected records of each. Figures that no load has are left out."""
    names = [name for name in _figures(LoadCounts()) if any(_figures(one.counts)[name] for one in loads)]
    yield TextTable(
        headings=("table", "file", "outcome", *(f"{name}>" for name in names), "size>", "time>"),
        rows=[_row(one, names) for one in loads],
    )
    for one in loads:
        yield from _reject_blocks(one)


def _figures(counts: LoadCounts) -> Mapping[str, int | None]:
    return {
        "rows": counts.rows_in,
        "inserted": counts.rows_inserted,
        "updated": counts.rows_updated,
        "unchanged": counts.rows_unchanged,
        "deleted": counts.rows_deleted,
        "rejected": counts.rows_rejected,
    }


def _row(loaded: Loaded, names: Sequence[str]) -> TableRow:
    figures, file = _figures(loaded.counts), file_name(loaded.source_uri)
    if loaded.status is LoadStatus.SKIPPED:
        line = f"{loaded.target}: {file} was loaded before, as load {loaded.load_id}"
    else:
        parts = [f"{format_count(loaded.counts.rows_in or 0, 'record')} of {file}"]
        parts += [f"{number:,} {name}" for name, number in figures.items() if number and name != "rows"]
        line = f"{loaded.target}: {', '.join(parts)}, in {format_duration(loaded.duration)} (load {loaded.load_id})"
    return TableRow(
        line=line,
        cells=[
            loaded.target or "",
            file,
            ("loaded", "green") if loaded.status is LoadStatus.SUCCESS else ("skipped", "dim"),
            *("" if (number := figures[name]) is None else f"{number:,}" for name in names),
            format_size(loaded.size_bytes),
            format_duration(loaded.duration),
        ],
    )


def _reject_blocks(loaded: Loaded) -> Iterator[Block]:
    if loaded.rejects:
        yield f"Rejected records of {file_name(loaded.source_uri)}:"
    for reject in loaded.rejects[:_MAX_REJECTS_SHOWN]:
        yield reject_line(reject)
    hidden = (loaded.counts.rows_rejected or 0) - min(len(loaded.rejects), _MAX_REJECTS_SHOWN)
    if hidden > 0:
        yield f"and {format_count(hidden, 'other reject')}: manage.py rejects {loaded.load_id}"


def reject_line(reject: Reject) -> Block:
    """Return the line, the problems and the beginning of a rejected record."""
    problems = "; ".join(map(str, reject.problems))
    return f"line {reject.line_no}: {problems} | {raw_text(reject.raw, max_length=_MAX_RAW_SHOWN)}", "yellow"


def raw_text(raw: bytes, *, max_length: int) -> str:
    """Return the beginning of a rejected record. Bytes that are not UTF-8 are escaped."""
    text = raw.decode("utf-8", "backslashreplace")
    return text if len(text) <= max_length else f"{text[:max_length]}…"
