"""The shared strings of a workbook.

They take the memory of their text and eight bytes each.
"""

import re
from array import array
from pathlib import Path

from data_pipeline.artefact_errors import DamagedArtefact, WorkbookTooLarge
from data_pipeline.storage.byte_streams import ByteStream
from data_pipeline.storage.cell_fields import csv_field
from data_pipeline.storage.xml_elements import MAX_IRREGULAR, XmlElements
from data_pipeline.storage.xml_parsing import XmlParser
from data_pipeline.storage.xml_text import IRREGULAR_REFERENCE, RichText, regular_text
from seeder.domain.human_format import format_size
from seeder.texts import Text

MAX_BYTES = 512 << 20  # of text; a full sheet with ten unique texts a row has about 200 MB


class SharedStrings:
    """Texts as CSV fields, by their index."""

    def __init__(self, path: Path | str) -> None:
        self._path = path
        self._text = bytearray()
        self._fields = b""
        self._ends = array("Q", [0])
        self.longest = 0  # bytes of the longest field

    def append(self, text: bytes) -> None:
        """Add the next text."""
        field = csv_field(text)
        self.longest = max(self.longest, len(field))
        self._text += field
        self._ends.append(len(self._text))
        if len(self._text) + 8 * len(self._ends) > MAX_BYTES:
            raise WorkbookTooLarge(
                path=self._path,
                description=Text("a workbook whose shared strings are larger"),
                limit=format_size(MAX_BYTES),
            )

    def field(self, index: bytes) -> bytes:
        """Return the field of an index as it stands in a cell."""
        try:
            place = int(index) if index.isdigit() else len(self._ends)
            return self._fields[self._ends[place] : self._ends[place + 1]]
        except (IndexError, ValueError) as error:
            problem = Text(
                "a cell has the shared string {index!r}, which does not exist",
                index=index[:20].decode(errors="replace"),
            )
            raise DamagedArtefact(path=self._path, problem=problem) from error

    def read(self, stream: ByteStream) -> None:
        """Add the texts of `sharedStrings.xml`."""
        rich_text = RichText()

        def new_parser() -> XmlParser:
            def on_end(name: str) -> None:
                rich_text.end(name)
                if name == "si":
                    self.append(rich_text.take())
                    parser.settle()

            parser = XmlParser(self._path, on_start=rich_text.start, on_end=on_end, on_text=rich_text.add)
            parser.settle()
            return parser

        elements = XmlElements(stream, self._path, parent="sst", child="si")
        pattern: re.Pattern[bytes] | None = None
        irregular = 0
        for element in elements.regular():
            pattern = pattern or _plain_string(elements.prefix)
            match = pattern.fullmatch(element)
            if match and not (b"&" in element and IRREGULAR_REFERENCE.search(element)):
                self.append(regular_text(match[2], is_preserved=match[1] is not None))
            else:
                new_parser().feed(elements.single(element))
                irregular += 1
                if irregular > MAX_IRREGULAR:
                    elements.hand_over()
        for _ in elements.parse_rest(new_parser()):
            pass
        self._fields = bytes(self._text)
        self._text.clear()


def _plain_string(prefix: bytes) -> re.Pattern[bytes]:
    """Return the pattern of a text without runs."""
    name = re.escape(prefix)
    return re.compile(rb'\s*<%bsi><%bt( xml:space="preserve")?>([^<]*)</%bt>' % (name, name, name))
