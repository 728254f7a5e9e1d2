"""Canonical records are copied in groups. The result is that of each record on its own."""

import io

import pytest

from data_pipeline.domain.csv_chunks import RecordChunks
from data_pipeline.domain.csv_fields import CsvFormat
from data_pipeline.domain.dialects import Column, Rule
from data_pipeline.domain.record_normalizer import RecordNormalizer
from data_pipeline.domain.rejects import Reject
from data_pipeline.services.silver.csv_transform import CsvTransform

COLUMNS = (
    Column(name="n"),
    Column(name="day", rule=Rule.DATE, formats=("%Y-%m-%d", "%d.%m.%Y")),
    Column(name="note", rule=Rule.TRIM),
)
KINDS = {  # a record, and what silver has of it
    "canonical": ("{n},2026-01-31,Übung", "{n},2026-01-31,Übung"),
    "changed": ("{n},31.01.2026, a ", "{n},2026-01-31,a"),
    "of two lines": ('{n},2026-01-31,"a\nb"', '{n},2026-01-31,"a\nb"'),
    "refused": ("{n},2026-02-30,a", ""),
    "malformed": ("{n}", ""),
}


def transformed(data: str) -> tuple[str, dict[int, int]]:
    """Return the records of silver, and the line of each rejected record by its number."""
    rejects = list[Reject]()
    chunks = RecordChunks(io.BytesIO(f"n,day,note\n{data}".encode()).read, chunk_bytes=1 << 20)
    chunks.header()
    normalizer = RecordNormalizer(COLUMNS, ("NULL",), CsvFormat())
    transform = CsvTransform(chunks, normalizer, CsvFormat(), columns=len(COLUMNS), on_rejects=rejects.extend)
    written = b"".join(transform).decode()
    assert (transform.records, transform.rejected) == (written.count("2026-01-31") + len(rejects), len(rejects))
    return written, {one.record_no: one.line_no for one in rejects}


@pytest.mark.parametrize(
    "places",
    [
        {0: "refused", 15: "changed", 16: "refused", 17: "malformed", 39: "refused"},
        {3: "of two lines", 4: "changed", 5: "refused", 1500: "refused", 1999: "changed"},
        dict.fromkeys(range(40), "changed") | {7: "refused"},
        dict.fromkeys(range(40), "refused"),
    ],
)
def test_records_of_all_kinds_keep_their_order_and_lines(places: dict[int, str]) -> None:
    line, records, written, lines = 2, list[str](), list[str](), dict[int, int]()
    for at in range(max(places) + 3):
        record, silver = (text.format(n=at) for text in KINDS[places.get(at, "canonical")])
        records.append(record)
        if silver:
            written.append(silver + "\n")
        else:
            lines[at + 1] = line
        line += 1 + record.count("\n")

    assert transformed("".join(f"{one}\n" for one in records)) == ("".join(written), lines)
