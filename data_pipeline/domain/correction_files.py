"""Files in which rejected records are corrected, as CSV for a spreadsheet.

Each record has its number in the load. So rows can be deleted and sorted, and other rows are not loaded.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from data_pipeline.correction_errors import BadCorrectionFile
from data_pipeline.domain.csv_fields import CsvFormat, find_fault, parse_fields
from data_pipeline.domain.formula_guard import guarded, unguarded
from data_pipeline.domain.rejects import Problem
from data_pipeline.domain.row_ids import parse_row_id
from seeder.texts import Text

RECORD_COLUMN, LINE_COLUMN, REASONS_COLUMN = "reject_record", "reject_line", "reject_reasons"
_OWN_COLUMNS = (RECORD_COLUMN, LINE_COLUMN, REASONS_COLUMN)
_BYTE_ORDER_MARK = "\ufeff"  # without it, spreadsheets read UTF-8 as another encoding
_DELIMITERS = (",", ";", "\t")

Values = Sequence[str | None]  # of a record, in the order of the file; None for an empty field without quotes


@dataclass(frozen=True, kw_only=True, slots=True)
class RejectedRecord:
    """A rejected record as it is kept."""

    record_no: int  # from 1, without the header
    line_no: int
    raw: bytes  # as in the file, but without personal values
    problems: Sequence[Problem]
    is_shortened: bool  # only its beginning is kept

    def values(self, csv_format: CsvFormat, *, columns: int) -> Values:
        """Return the values of the record. A malformed one is split as far as it can be."""
        if find_fault(self.raw, csv_format, columns=columns) is None:
            return parse_fields(self.raw, csv_format)
        text = self.raw.decode("utf-8", "backslashreplace").replace("\0", "\\x00")
        fields = text.split(csv_format.delimiter.decode(), columns - 1)
        return [*(one or None for one in fields), *[None] * (columns - len(fields))]

    @property
    def reasons(self) -> str:
        """All problems in one line."""
        texts = list(map(str, self.problems))
        texts += [Text("only the beginning of the record is kept")] if self.is_shortened else []
        return Text.joined(texts, "; ")


def correction_lines(records: Iterable[RejectedRecord], columns: Sequence[str], csv_format: CsvFormat) -> Iterator[str]:
    """Yield lines of CSV with a row for each rejected record.

    A spreadsheet runs no formula in it. Without columns, it has no values.
    """
    yield _BYTE_ORDER_MARK + _csv_line([*_OWN_COLUMNS, *columns])
    for one in records:
        values = one.values(csv_format, columns=len(columns)) if columns else ()
        yield _csv_line([str(one.record_no), str(one.line_no), one.reasons, *(value or "" for value in values)])


def _csv_line(cells: Iterable[str]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow(map(guarded, cells))
    return out.getvalue()


def read_corrections(text: str, columns: Sequence[str], *, path: object) -> Mapping[int, Values]:
    """Return the corrected values by record number. Empty cells are None.

    Cells are separated by a comma, semicolon or tab, as a spreadsheet saves them. Raises `BadCorrectionFile`.
    """
    rows = list(_rows(text.removeprefix(_BYTE_ORDER_MARK), path))
    if not rows:
        raise BadCorrectionFile(path=path, problem=Text("it is empty"))
    header = [unguarded(name) for name in rows[0][1]]
    positions = _positions(header, columns, path)
    corrections = dict[int, Values]()
    for line, row in rows[1:]:
        if not any(row):
            continue
        cells = [*row, *[""] * (len(header) - len(row))]
        number = cells[header.index(RECORD_COLUMN)].strip()
        problem = _problem(number, cells, header, corrections)
        if problem:
            raise BadCorrectionFile(path=path, problem=Text("line {line}: {problem}", line=line, problem=problem))
        corrections[int(number)] = [unguarded(cells[position]) or None for position in positions]
    return corrections


def _rows(text: str, path: object) -> Iterator[tuple[int, list[str]]]:
    """Yield each row with its last line."""
    first_line = text[: text.find("\n")]
    delimiter = max(_DELIMITERS, key=first_line.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        for row in reader:
            yield reader.line_num, row
    except csv.Error as error:
        raise BadCorrectionFile(
            path=path, problem=Text("line {line}: {problem}", line=reader.line_num, problem=str(error))
        ) from error


def _positions(header: Sequence[str], columns: Sequence[str], path: object) -> Sequence[int]:
    """Return the position of each column of the loaded file. Own columns stand before those."""
    if RECORD_COLUMN not in header:
        raise BadCorrectionFile(
            path=path,
            problem=Text("it has no column {column}, which names the records", column=RECORD_COLUMN),
        )
    own = {header.index(name) for name in _OWN_COLUMNS if name in header}
    found = {name: position for position, name in enumerate(header) if position not in own}
    missing = [name for name in columns if name not in found]
    unknown = [name for name in found if name and name not in columns]
    if missing or unknown:
        problem = (
            Text("it has no column {column!r}", column=missing[0])
            if missing
            else Text("the loaded file has no column {column!r}", column=unknown[0])
        )
        raise BadCorrectionFile(path=path, problem=problem)
    return [found[name] for name in columns]


def _problem(number: str, cells: Sequence[str], header: Sequence[str], corrections: Mapping[int, Values]) -> str | None:
    record_no = parse_row_id(number)
    if record_no is None:
        return Text("{number!r} is not a record number", number=number)
    if record_no in corrections:
        return Text("record {record:,} was given before", record=record_no)
    if len(cells) > len(header):
        return Text("it has {cells} cells, but the header has {columns}", cells=len(cells), columns=len(header))
    return None


def kept_nulls(corrected: Values, original: Values) -> Values:
    """Restore the empty texts of a record that a spreadsheet cannot show.

    An empty cell that was not changed is the empty text again if it was one, otherwise None.
    """
    return ["" if value is None and before == "" else value for value, before in zip(corrected, original, strict=True)]


def csv_record(values: Values, csv_format: CsvFormat) -> bytes:
    """Return the CSV of a record, without a line end."""
    quote = csv_format.quote.decode()
    fields = ["" if value is None else f"{quote}{value.replace(quote, quote * 2)}{quote}" for value in values]
    return csv_format.delimiter.decode().join(fields).encode()
