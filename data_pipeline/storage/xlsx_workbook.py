"""The parts of an XLSX workbook: its sheets, styles and shared strings."""

import posixpath
from collections.abc import Mapping
from typing import NamedTuple

from data_pipeline.artefact_errors import WorkbookRefused
from data_pipeline.storage.number_formats import CellKind, built_in_kind, kind_of_format
from data_pipeline.storage.shared_strings import SharedStrings
from data_pipeline.storage.workbook_types import Sheet, SheetReader
from data_pipeline.storage.xlsx_rows import rows
from data_pipeline.storage.xlsx_values import CellValues
from data_pipeline.storage.xml_parsing import MAX_ELEMENT_BYTES, Attributes, OnStart, parse_xml
from data_pipeline.storage.zip_directory import ZipDirectory
from seeder.texts import Text


class Relationship(NamedTuple):
    """A part that another part names."""

    kind: str  # the last part of its type's URI
    target: str  # its name in the zip file


class XlsxWorkbook:
    """A workbook whose sheets are read as streams."""

    def __init__(self, directory: ZipDirectory, main_part: str) -> None:
        self._directory = directory
        self._is_1904 = False
        self._named: list[tuple[str, bool, str]] = []
        relationships = related_parts(directory, main_part)
        self._parse(main_part, self._on_workbook)
        self.sheets = [
            Sheet(name=name, is_visible=is_visible, key=relationships[identifier].target)
            for name, is_visible, identifier in self._named
            if identifier in relationships and relationships[identifier].kind == "worksheet"
        ]
        parts = {one.kind: one.target for one in relationships.values()}
        self._values = CellValues(
            directory.path,
            strings=self._read_strings(parts.get("sharedStrings", "xl/sharedStrings.xml")),
            styles=self._read_styles(parts.get("styles", "xl/styles.xml")),
            is_1904=self._is_1904,
        )

    def read(self, sheet: Sheet) -> SheetReader:
        """Begin to read a sheet."""
        part = self._directory.open(sheet.key)
        size = self._directory.size(sheet.key)
        return SheetReader(rows(part, self._values), lambda: part.position / size if size else 1.0)

    def _on_workbook(self, name: str, attributes: Attributes) -> None:
        if name == "workbookPr":
            self._is_1904 = attributes.get("date1904") in {"1", "true"}
        elif name == "sheet":
            # The prefix of the relationships' namespace is free.
            identifier = next((value for key, value in attributes.items() if key.endswith(":id")), "")
            self._named.append(
                (attributes.get("name", ""), attributes.get("state", "visible") == "visible", identifier)
            )

    def _read_strings(self, part: str) -> SharedStrings:
        strings = SharedStrings(self._directory.path)
        if part in self._directory:
            strings.read(self._directory.open(part))
        return strings

    def _read_styles(self, part: str) -> Mapping[bytes, CellKind]:
        """Return the kinds of the styles that are not plain numbers."""
        formats: dict[str, CellKind] = {}
        kinds: list[CellKind] = []
        is_of_cells = False

        def on_start(name: str, attributes: Attributes) -> None:
            nonlocal is_of_cells
            if name == "numFmt":
                formats[attributes.get("numFmtId", "")] = kind_of_format(attributes.get("formatCode", ""))
            elif name == "cellXfs":
                is_of_cells = True
            elif name == "cellStyles":
                is_of_cells = False
            elif name == "xf" and is_of_cells:
                identifier = attributes.get("numFmtId", "0")
                kinds.append(formats.get(identifier) or built_in_kind(identifier))

        if part in self._directory:
            self._parse(part, on_start)
        return {str(style).encode(): kind for style, kind in enumerate(kinds) if kind is not CellKind.NUMBER}

    def _parse(self, part: str, on_start: OnStart) -> None:
        parse_small_part(self._directory, part, on_start)


def related_parts(directory: ZipDirectory, part: str = "") -> Mapping[str, Relationship]:
    """Return the parts that a part names, by identifier. Without a part, those that the package names."""
    folder, name = posixpath.split(part)
    relationships: dict[str, Relationship] = {}

    def on_start(element: str, attributes: Attributes) -> None:
        if element == "Relationship" and attributes.get("TargetMode") != "External":
            target = posixpath.normpath(posixpath.join("/", folder, attributes.get("Target", "")))
            kind = attributes.get("Type", "").rpartition("/")[2]
            relationships[attributes.get("Id", "")] = Relationship(kind, target.lstrip("/"))

    parse_small_part(directory, posixpath.join(folder, "_rels", f"{name}.rels"), on_start)
    return relationships


def parse_small_part(directory: ZipDirectory, part: str, on_start: OnStart) -> None:
    """Parse a part whose content is held in memory."""
    stream = directory.open(part)
    if directory.size(part) > MAX_ELEMENT_BYTES:
        raise WorkbookRefused(path=directory.path, problem=Text("its part {part} is too large", part=part))
    parse_xml(stream, directory.path, on_start=on_start)
