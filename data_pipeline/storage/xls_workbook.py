"""Old binary workbooks (XLS), read in memory by calamine."""

import io
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, time, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

from data_pipeline.artefact_errors import DamagedArtefact, WorkbookRefused, WorkbookTooLarge
from data_pipeline.storage.biff_records import BiffSheet, biff_sheets
from data_pipeline.storage.cell_fields import csv_field, duration_field, float_field
from data_pipeline.storage.hashed_source import HashedSource, RandomAccess
from data_pipeline.storage.ole_file import OleFile
from data_pipeline.storage.workbook_types import Row, Sheet, SheetReader
from seeder.domain.human_format import format_size
from seeder.errors import ExtraMissing
from seeder.texts import Text

_STREAMS = ("Workbook", "Book")  # since Excel 97, and before
_DAY = timedelta(days=1)
_MAX_AREA = 4_000_000  # cells from A1 to the last one, which calamine holds in 100 MB
_FIELD_OF: Mapping[type, Callable[[Any], bytes]] = {
    str: lambda value: csv_field(value.encode(errors="replace")),
    int: lambda value: str(value).encode(),
    float: float_field,
    bool: lambda value: b"true" if value else b"false",
    date: lambda value: value.isoformat().encode(),
    time: lambda value: value.isoformat().encode(),
    datetime: lambda value: value.isoformat(sep=" ").encode(),
    timedelta: lambda value: duration_field(value / _DAY),
}


def is_xls(ole: OleFile) -> bool:
    """Return whether a compound file is a workbook."""
    return any(name in ole for name in _STREAMS)


class XlsWorkbook:
    """A workbook in memory."""

    def __init__(self, source: HashedSource, ole: OleFile, *, max_bytes: int) -> None:
        if source.size > max_bytes:
            raise WorkbookTooLarge(
                path=source.path, description=Text("an XLS workbook larger"), limit=format_size(max_bytes)
            )
        self._path = source.path
        stream = next(name for name in _STREAMS if name in ole)
        self._cells = biff_sheets(ole.read(stream), path=source.path)
        open_file, file = _calamine().CalamineWorkbook.from_filelike, io.BufferedReader(RandomAccess(source))
        self._workbook = _by_calamine(lambda: open_file(file), path=source.path)
        self.sheets = [
            Sheet(name=one.name, is_visible=str(one.visible) == "SheetVisibleEnum.Visible", key=str(number))
            for number, one in enumerate(self._workbook.sheets_metadata)
            if str(one.typ) == "SheetTypeEnum.WorkSheet"
        ]

    def read(self, sheet: Sheet) -> SheetReader:
        """Read a sheet into memory."""
        number = int(sheet.key)
        cells = self._cells[number] if number < len(self._cells) else BiffSheet()
        if cells.rows * cells.columns > max(_MAX_AREA, 20 * cells.cells):
            raise WorkbookRefused(
                path=self._path, problem=Text("the cells of {sheet!r} are too far apart", sheet=sheet.name)
            )
        values = _by_calamine(
            lambda: self._workbook.get_sheet_by_index(number).to_python(skip_empty_area=False), path=self._path
        )
        return SheetReader(_rows(values, cells), lambda: 1.0)


def _rows(values: list[list[Any]], cells: BiffSheet) -> Iterator[Row]:
    """Yield rows. Calamine returns an error in a cell as an empty text, which would load as NULL."""
    errors = cells.errors
    for place, line in enumerate(values):
        fields = [_FIELD_OF[type(value)](value) for value in line]
        if errors:
            fields = [field or errors.get((place, column), b"") for column, field in enumerate(fields)]
        yield Row(place + 1, fields)


def _by_calamine(read: Callable[[], Any], *, path: Path | str) -> Any:
    """Call calamine, and translate its errors. A panic of Rust is not an `Exception`."""
    try:
        return read()
    except BaseException as error:
        if isinstance(error, _calamine().CalamineError) or type(error).__name__ == "PanicException":
            raise DamagedArtefact(
                path=path, problem=Text("calamine cannot read it ({error})", error=str(error))
            ) from error
        raise


def _calamine() -> Any:
    """Import calamine, which is in an extra."""
    try:
        return import_module("python_calamine")
    except ModuleNotFoundError as error:
        raise ExtraMissing(
            feature=Text("Reading XLS workbooks"), distribution="python-calamine", extra="xlsx"
        ) from error
