"""OpenDocument spreadsheets: one XML document holds all sheets."""

from collections.abc import Iterator

from data_pipeline.artefact_errors import EncryptedArtefact, UnsupportedFormat
from data_pipeline.storage.ods_rows import TABLE_DEPTH, TableParser
from data_pipeline.storage.workbook_types import Row, Sheet, SheetReader
from data_pipeline.storage.xlsx_workbook import parse_small_part
from data_pipeline.storage.xml_parsing import READ_AT_ONCE, Attributes, parse_xml
from data_pipeline.storage.zip_directory import Member, ZipDirectory
from seeder.texts import Text

_CONTENT = "content.xml"
_MANIFEST = "META-INF/manifest.xml"
_MEDIA_TYPE = b"application/vnd.oasis.opendocument."
_SPREADSHEET = _MEDIA_TYPE + b"spreadsheet"


def is_open_document(directory: ZipDirectory) -> bool:
    """Return whether a zip file is a spreadsheet. Raises an error for other OpenDocument files."""
    if "mimetype" not in directory:
        return False
    media_type = directory.open("mimetype").read(100)
    if media_type.startswith(_MEDIA_TYPE) and not media_type.startswith(_SPREADSHEET):
        raise UnsupportedFormat(
            path=directory.path,
            description=Text("an OpenDocument file without sheets"),
            advice=Text("Save its table as CSV or XLSX, and load that file."),
        )
    return media_type.startswith(_SPREADSHEET)


class OdsWorkbook:
    """A spreadsheet whose sheets are read as streams."""

    def __init__(self, directory: ZipDirectory) -> None:
        self._directory = directory
        self._hidden_styles: set[str] = set()
        self._style = ""
        self._depth = 0
        self.sheets: list[Sheet] = []
        if _MANIFEST in directory:
            parse_small_part(directory, _MANIFEST, self._require_readable)
        parse_xml(directory.open(_CONTENT), directory.path, on_start=self._on_start, on_end=self._on_end)

    def read(self, sheet: Sheet) -> SheetReader:
        """Begin to read a sheet."""
        part = self._directory.open(_CONTENT)
        size = self._directory.size(_CONTENT)
        return SheetReader(self._rows(part, int(sheet.key)), lambda: part.position / size)

    def _rows(self, part: Member, number: int) -> Iterator[Row]:
        """Yield the rows of a sheet by its number."""
        table = TableParser(self._directory.path, number=number)
        while data := part.read(READ_AT_ONCE):
            if not table.has_ended:
                table.parser.feed(data)
                yield from table.take()

    def _require_readable(self, name: str, _attributes: Attributes) -> None:
        if name == "encryption-data":
            raise EncryptedArtefact(path=self._directory.path)

    def _on_start(self, name: str, attributes: Attributes) -> None:
        """Note the sheets. A sheet is hidden by its style."""
        self._depth += 1
        if name == "style":
            self._style = attributes.get("style:name", "")
        elif name == "table-properties" and attributes.get("table:display") == "false":
            self._hidden_styles.add(self._style)
        elif name == "table" and self._depth == TABLE_DEPTH:
            is_visible = attributes.get("table:style-name") not in self._hidden_styles
            sheet = Sheet(name=attributes.get("table:name", ""), is_visible=is_visible, key=str(len(self.sheets)))
            self.sheets.append(sheet)

    def _on_end(self, _name: str) -> None:
        self._depth -= 1
