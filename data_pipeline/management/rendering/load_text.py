"""Loads as plain lines and tables."""

from collections.abc import Iterator, Mapping, Sequence

from data_pipeline.domain.load_counts import LoadCounts
from data_pipeline.domain.load_status import LoadStatus
from data_pipeline.domain.rejects import Reject
from data_pipeline.domain.uris import file_name
from data_pipeline.services.load_options import Loaded
from seeder.domain.human_format import format_count, format_duration, format_size
from seeder.management.rendering.command_output import Block, TableRow, TextTable, figures
from seeder.texts import Text

_MAX_REJECTS_SHOWN = 10
_MAX_RAW_SHOWN = 100  # characters


def load_blocks(loads: Sequence[Loaded]) -> Iterator[Block]:
    """Yield a table of loads, and the first rejected records of each. Figures that no load has are left out."""
    names = [name for name in _figures(LoadCounts()) if any(_figures(one.counts)[name] for one in loads)]
    yield TextTable(
        headings=(
            *(Text("table"), Text("file"), Text("outcome"), *map(figures, names)),
            *(figures(Text("size")), figures(Text("time"))),
        ),
        rows=[_row(one, names) for one in loads],
    )
    for one in loads:
        yield from _reject_blocks(one)


def _figures(counts: LoadCounts) -> Mapping[Text, int | None]:
    """Return the numbers by their heading."""
    return {
        Text("rows"): counts.rows_in,
        Text("inserted"): counts.rows_inserted,
        Text("updated"): counts.rows_updated,
        Text("unchanged"): counts.rows_unchanged,
        Text("deleted"): counts.rows_deleted,
        Text("rejected"): counts.rows_rejected,
    }


def counted_rows(counts: LoadCounts) -> Iterator[Text]:
    """Yield what became of the records, such as `3 updated`, without zeros."""
    if counts.rows_inserted:
        yield Text("{number:,} inserted", number=counts.rows_inserted)
    if counts.rows_updated:
        yield Text("{number:,} updated", number=counts.rows_updated)
    if counts.rows_unchanged:
        yield Text("{number:,} unchanged", number=counts.rows_unchanged)
    if counts.rows_deleted:
        yield Text("{number:,} deleted", number=counts.rows_deleted)
    if counts.rows_rejected:
        yield Text("{number:,} rejected", number=counts.rows_rejected)


def _row(loaded: Loaded, names: Sequence[Text]) -> TableRow:
    numbers, file = _figures(loaded.counts), file_name(loaded.source_uri)
    facts = {"table": loaded.target, "file": file, "load_id": loaded.load_id}
    if loaded.status is LoadStatus.SKIPPED:
        line = Text("{table}: {file} was loaded before, as load {load_id}", **facts)
    else:
        records = Text("{records} of {file}", records=format_count(loaded.counts.rows_in or 0, "record"), file=file)
        line = Text(
            "{table}: {counts}, in {duration} (load {load_id})",
            counts=Text.joined([records, *counted_rows(loaded.counts)]),
            duration=format_duration(loaded.duration),
            **facts,
        )
    return TableRow(
        line=line,
        cells=[
            loaded.target or "",
            file,
            (Text("loaded"), "green") if loaded.status is LoadStatus.SUCCESS else (Text("skipped"), "dim"),
            *("" if (number := numbers[name]) is None else f"{number:,}" for name in names),
            format_size(loaded.size_bytes),
            format_duration(loaded.duration),
        ],
    )


def _reject_blocks(loaded: Loaded) -> Iterator[Block]:
    if loaded.rejects:
        yield Text("Rejected records of {file}:", file=file_name(loaded.source_uri))
    for reject in loaded.rejects[:_MAX_REJECTS_SHOWN]:
        yield reject_line(reject)
    hidden = (loaded.counts.rows_rejected or 0) - min(len(loaded.rejects), _MAX_REJECTS_SHOWN)
    if hidden > 0:
        yield Text(
            "and {rejects}: manage.py rejects {load_id}",
            rejects=format_count(hidden, "other reject"),
            load_id=loaded.load_id,
        )


def reject_line(reject: Reject) -> Block:
    """Return the line, the problems and the beginning of a rejected record."""
    problems = Text.joined(map(str, reject.problems), "; ")
    raw = raw_text(reject.raw, max_length=_MAX_RAW_SHOWN)
    return Text("line {line}: {problems} | {record}", line=reject.line_no, problems=problems, record=raw), "yellow"


def raw_text(raw: bytes, *, max_length: int) -> str:
    """Return the beginning of a rejected record. Bytes that are not UTF-8 are escaped."""
    text = raw.decode("utf-8", "backslashreplace")
    return text if len(text) <= max_length else f"{text[:max_length]}…"
