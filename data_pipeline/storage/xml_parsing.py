"""Parses XML without document types and within limits.

So neither entities nor long tokens can fill the memory.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NoReturn
from xml.parsers import expat

from data_pipeline.artefact_errors import DamagedArtefact, WorkbookRefused
from data_pipeline.storage.byte_streams import ByteStream
from seeder.domain.human_format import format_size
from seeder.texts import Text

MAX_ELEMENT_BYTES = 64 << 20  # a row or a start tag; the largest genuine ones have a few MB
_ENCODINGS = {"utf-8", "utf-16", "us-ascii", "iso-8859-1"}  # that expat knows; Office allows the first two
READ_AT_ONCE = 1 << 18  # bytes

Attributes = Mapping[str, str]
OnStart = Callable[[str, Attributes], None]
OnEnd = Callable[[str], None]
OnText = Callable[[str], None]


class XmlParser:
    """A parser that calls back with names without their prefixes."""

    def __init__(
        self, path: Path | str, *, on_start: OnStart, on_end: OnEnd | None = None, on_text: OnText | None = None
    ) -> None:
        self._path = path
        self._fed = 0
        self._expat = expat.ParserCreate()
        self._expat.buffer_text = True
        self._expat.XmlDeclHandler = self._note_declaration
        self._expat.StartDoctypeDeclHandler = self._refuse_document_type
        self._expat.StartElementHandler = lambda name, attributes: on_start(name.rpartition(":")[2], attributes)
        if on_end is not None:
            self._expat.EndElementHandler = lambda name: on_end(name.rpartition(":")[2])
        if on_text is not None:
            self._expat.CharacterDataHandler = on_text
        self.declared_encoding: str | None = None
        self._settled: int | None = None

    @property
    def position(self) -> int:
        """The byte at which the current element or text begins."""
        return self._expat.CurrentByteIndex

    def feed(self, data: bytes) -> None:
        """Parse the next bytes."""
        self._fed += len(data)
        self._parse(data, is_last=False)
        settled = self._expat.CurrentByteIndex if self._settled is None else self._settled
        require_bounded_element(self._fed - settled, path=self._path)

    def settle(self) -> None:
        """Note that the caller holds nothing of the document up to here. From then on it must note each place."""
        self._settled = self.position

    def finish(self) -> None:
        """Check that the document is complete."""
        self._parse(b"", is_last=True)

    def _parse(self, data: bytes, *, is_last: bool) -> None:
        try:
            self._expat.Parse(data, is_last)
        except expat.ExpatError as error:
            raise DamagedArtefact(
                path=self._path, problem=Text("its XML is invalid ({error})", error=str(error))
            ) from error

    def _note_declaration(self, _version: str, encoding: str | None, _standalone: int) -> None:
        if encoding is not None and encoding.lower() not in _ENCODINGS:
            raise WorkbookRefused(
                path=self._path, problem=Text("its XML has the encoding {encoding!r}", encoding=encoding[:20])
            )
        self.declared_encoding = encoding

    def _refuse_document_type(self, *_declaration: object) -> NoReturn:
        # Entities, which can expand to gigabytes, need one. No spreadsheet program writes one.
        raise WorkbookRefused(path=self._path, problem=Text("its XML has a document type"))


def require_bounded_element(size: int, *, path: Path | str) -> None:
    """Raise `WorkbookRefused` if an element is too large for memory."""
    if size > MAX_ELEMENT_BYTES:
        raise WorkbookRefused(
            path=path, problem=Text("its XML has an element of more than {size}", size=format_size(MAX_ELEMENT_BYTES))
        )


def parse_xml(
    stream: ByteStream,
    path: Path | str,
    *,
    on_start: OnStart,
    on_end: OnEnd | None = None,
    on_text: OnText | None = None,
) -> None:
    """Parse a whole document."""
    parser = XmlParser(path, on_start=on_start, on_end=on_end, on_text=on_text)
    while data := stream.read(READ_AT_ONCE):
        parser.feed(data)
    parser.finish()
