"""Cuts a long XML document into its repeated elements.

Regular elements are read by a pattern, which takes half the time of a parser's callbacks. Everything else goes to the
parser, so the result is the same: comments, CDATA sections, instructions, carriage returns, other encodings than UTF-8.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from data_pipeline.storage.byte_streams import ByteStream
from data_pipeline.storage.xml_parsing import READ_AT_ONCE, Attributes, XmlParser, require_bounded_element

MAX_IRREGULAR = 1000  # elements with a parser for each; one parser for all costs less then
_IRREGULAR = re.compile(rb"<[!?]|\r")  # XML reads `\r\n` as `\n`
_NAME = re.compile(rb"<([^\s<>/]+)")
_FIRST_READ = 1 << 12  # bytes; the parser reads what stands before the elements


class XmlElements:
    """The children of one element, such as the rows of `sheetData`."""

    def __init__(self, stream: ByteStream, path: Path | str, *, parent: str, child: str) -> None:
        self._stream = stream
        self._path = path
        self._parent = parent
        self._child = child.encode()
        self._rest: bytes | None = None  # what a parser has to read first; None: nothing is left
        self._is_handed_over = False
        self._opening: bytes | None = None  # start tags of the root and the parent; None: the rest has them
        self.prefix = b""

    def regular(self) -> Iterator[bytes]:
        """Yield children without their end tags, until one is irregular. Empty siblings stand before them."""
        text = self._read_prolog()
        if text is None:
            return
        child = self.prefix + self._child
        end_tag = b"</" + child + b">"
        parent = self.prefix + self._parent.encode()
        end = re.compile(rb"((?:\s*<%b\b[^<>]*/>)*)\s*</%b\s*>" % (re.escape(child), re.escape(parent)))
        while True:
            is_plain = not _IRREGULAR.search(text)
            *elements, text = text.split(end_tag)
            for place, element in enumerate(elements):
                if self._is_handed_over or (not is_plain and _IRREGULAR.search(element)):
                    self._rest = end_tag.join([*elements[place:], text])
                    return
                yield element
            if (match := end.match(text)) is not None:
                if match[1]:
                    self._rest = text  # empty elements without a regular one after them
                else:
                    self._read_to_checksum()
                return
            needs_parser = self._is_handed_over or _IRREGULAR.search(text)
            data = b"" if needs_parser else self._stream.read(READ_AT_ONCE)
            if not data:
                self._rest = text
                return
            text += data
            require_bounded_element(len(text) - READ_AT_ONCE, path=self._path)

    def hand_over(self) -> None:
        """Leave everything that `regular` has not yielded to a parser."""
        self._is_handed_over = True

    def parse_rest(self, parser: XmlParser) -> Iterator[None]:
        """Give what `regular` has left to a parser. Yield after each part."""
        if self._rest is None:
            return
        parser.feed((self._opening or b"") + self._rest)
        yield
        while data := self._stream.read(READ_AT_ONCE):
            parser.feed(data)
            yield
        parser.finish()

    def single(self, element: bytes) -> bytes:
        """Return one element that `regular` has yielded as a document."""
        return b"".join((self._opening or b"", element, b"</", self.prefix, self._child, b">"))

    def _read_prolog(self) -> bytes | None:
        """Read up to the parent's start tag. Return what follows, or None if there is nothing for patterns."""
        positions: list[int] = []

        def on_start(name: str, _attributes: Attributes) -> None:
            if not positions or (len(positions) == 1 and name == self._parent):
                positions.append(parser.position)
                if name == self._parent and len(positions) == 1:
                    positions.append(parser.position)  # the root is the parent

        parser = XmlParser(self._path, on_start=on_start)
        text, size = b"", _FIRST_READ
        while len(positions) < 2:
            data = self._stream.read(size)
            if not data:
                parser.finish()
                return None
            text += data
            size = READ_AT_ONCE
            parser.feed(data)
        if (parser.declared_encoding or "utf-8").lower() != "utf-8" or text[:2] in {b"\xff\xfe", b"\xfe\xff"}:
            self._rest = text
            return None
        return self._cut_prolog(text, *positions)

    def _cut_prolog(self, text: bytes, root: int, parent: int) -> bytes | None:
        """Note the names of the root and the parent.

        These bytes begin with them. Return what follows.
        """
        names = [match[1] for match in (_NAME.match(text, root), _NAME.match(text, parent)) if match is not None]
        start_tag_end = text.index(b">", parent)
        if text[start_tag_end - 1 : start_tag_end] == b"/":
            self._read_to_checksum()
            return None
        self.prefix = names[1].removesuffix(self._parent.encode())
        self._opening = b"".join(b"<%b>" % name for name in dict.fromkeys(names))
        return text[start_tag_end + 1 :]

    def _read_to_checksum(self) -> None:
        """Read what follows the elements.

        The checksum is compared at the end.
        """
        while self._stream.read(READ_AT_ONCE):
            pass
