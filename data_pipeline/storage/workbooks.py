"""Workbooks as CSV: recognises their kind, and chooses the sheet."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from data_pipeline.artefact_errors import (
    EncryptedArtefact,
    SheetNotChosen,
    UnknownSheet,
    UnsupportedFormat,
    WorkbookRefused,
)
from data_pipeline.storage.byte_streams import PieceStream
from data_pipeline.storage.hashed_source import HashedSource
from data_pipeline.storage.ods_workbook import OdsWorkbook, is_open_document
from data_pipeline.storage.ole_file import OleFile
from data_pipeline.storage.sheet_csv import LineMap, csv_pieces
from data_pipeline.storage.workbook_types import Sheet, SheetReader, Workbook
from data_pipeline.storage.xls_workbook import XlsWorkbook, is_xls
from data_pipeline.storage.xlsx_workbook import XlsxWorkbook, related_parts
from data_pipeline.storage.zip_directory import ZipDirectory
from seeder.texts import Text

_PACKAGE = "_rels/.rels"
_SAVE_AS_XLSX = Text("Save it as XLSX or CSV, and load that file.")


class SheetCsv:
    """A sheet as a stream of CSV."""

    def __init__(self, source: HashedSource, reader: SheetReader, *, max_bytes: int) -> None:
        self._source = source
        self._max_bytes = max_bytes
        self._reader = reader
        self._lines = LineMap()
        self._stream = PieceStream(self._pieces())

    def read(self, size: int, /) -> bytes:
        """Return the next bytes, or none at the end."""
        return self._stream.read(size)

    def row_of(self, line: int) -> int:
        """Return the sheet's row of a line that was read."""
        return self._lines.row_of(line)

    @property
    def position(self) -> int:
        """The share of the sheet that was read, in bytes.

        They are bytes of the file.
        """
        return self._source.position or round(self._source.size * self._reader.progress())

    def _pieces(self) -> Iterator[bytes]:
        yield from csv_pieces(self._reader.rows, self._lines, path=self._source.path, max_bytes=self._max_bytes)
        self._source.hash_rest()


def open_workbook(
    source: HashedSource, container: str, *, sheet: str | None, max_unpacked_bytes: int, xlsx_in_memory_bytes: int
) -> tuple[str, SheetCsv]:
    """Open a sheet of a workbook in a `zip` or `ole` container. Return its format and its content.

    Without a name, the sheet is the visible one that has data.
    """
    if container == "ole":
        file_format, workbook = _old_workbook(source, max_bytes=xlsx_in_memory_bytes)
    else:
        file_format, workbook = _workbook(ZipDirectory(source, max_unpacked_bytes=max_unpacked_bytes))
    reader = workbook.read(_chosen(workbook, sheet, path=source.path))
    return file_format, SheetCsv(source, reader, max_bytes=max_unpacked_bytes)


def _workbook(directory: ZipDirectory) -> tuple[str, Workbook]:
    """Return the format and the workbook of a zip file."""
    if _PACKAGE in directory:
        for kind, part in related_parts(directory).values():
            if kind == "officeDocument":
                return "xlsx", XlsxWorkbook(directory, _require_worksheets(part, path=directory.path))
    if is_open_document(directory):
        return "ods", OdsWorkbook(directory)
    raise UnsupportedFormat(
        path=directory.path,
        description=Text("a zip archive"),
        advice=Text("Unpack it, and load the files inside one by one."),
    )


def _old_workbook(source: HashedSource, *, max_bytes: int) -> tuple[str, Workbook]:
    """Return the format and the workbook of a compound file."""
    ole = OleFile(source)
    if "EncryptedPackage" in ole:
        raise EncryptedArtefact(path=source.path)
    if not is_xls(ole):
        raise UnsupportedFormat(path=source.path, description=Text("an old Office document"), advice=_SAVE_AS_XLSX)
    return "xls", XlsWorkbook(source, ole, max_bytes=max_bytes)


def _require_worksheets(part: str, *, path: Path | str) -> str:
    """Return the main part of an XLSX workbook's package."""
    if part.endswith(".bin"):
        raise UnsupportedFormat(path=path, description=Text("a binary workbook (XLSB)"), advice=_SAVE_AS_XLSX)
    if not part.startswith("xl/"):
        raise UnsupportedFormat(
            path=path, description=Text("an Office document without worksheets"), advice=_SAVE_AS_XLSX
        )
    return part


def _chosen(workbook: Workbook, name: str | None, *, path: Path | str) -> Sheet:
    """Return the sheet of a name, or the only filled one.

    That one is visible and has data.
    """
    if name is not None:
        return _named(workbook.sheets, name, path=path)
    visible = [sheet for sheet in workbook.sheets if sheet.is_visible]
    filled = [sheet for sheet in visible if _has_data(workbook.read(sheet))] if len(visible) > 1 else visible
    if len(filled) > 1:
        raise SheetNotChosen(path=path, sheets=_names(filled))
    if not visible:
        problem = Text("all its sheets are hidden. Name one of them: {sheets}", sheets=_names(workbook.sheets))
        raise WorkbookRefused(path=path, problem=problem)
    return (filled or visible)[0]


def _named(sheets: Sequence[Sheet], name: str, *, path: Path | str) -> Sheet:
    """Return the sheet of a name. Spreadsheet programs do not distinguish case."""
    for sheet in sheets:
        if sheet.name == name:
            return sheet
    for sheet in sheets:
        if sheet.name.casefold() == name.casefold():
            return sheet
    raise UnknownSheet(path=path, sheet=name, sheets=_names(sheets))


def _names(sheets: Sequence[Sheet]) -> str:
    return ", ".join(repr(sheet.name) for sheet in sheets) or "none"


def _has_data(reader: SheetReader) -> bool:
    return any(any(row.fields) for row in reader.rows)
