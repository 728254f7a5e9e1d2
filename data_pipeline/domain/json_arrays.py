"""Splits a JSON array that comes in pieces into lines."""

import re

from data_pipeline.domain.csv_fields import HAS_POSSESSIVE_GROUPS
from data_pipeline.domain.json_lines import MAX_RECORD_BYTES
from seeder.texts import Text

_BLANKS = b" \t\r\n"
_BOM = b"\xef\xbb\xbf"


def _repeat(alternatives: bytes) -> bytes:
    """Return the possessive repetition of a group."""
    return rb"(?:%b)*+" % alternatives if HAS_POSSESSIVE_GROUPS else rb"(?>(?:%b)*)" % alternatives


# Up to the next mark: what is skipped are strings, values, and objects or arrays without inner ones.
_STRING = b'"' + _repeat(rb'[^"\\]++|\\.') + b'"'
_FLAT = rb"[\[{]" + _repeat(rb'[^"{}\[\]]++|' + _STRING) + rb"[\]}]"
_TO_BRACKET = re.compile(_repeat(rb'[^"{}\[\]]++|' + _STRING + b"|" + _FLAT) + rb'(["{}\[\]]?)', re.DOTALL)
_TO_MARK = re.compile(_repeat(rb'[^"{}\[\],]++|' + _STRING + b"|" + _FLAT) + rb'(["{}\[\],]?)', re.DOTALL)


class ArrayLines:
    """Finds the ends of the elements. Whether an element is valid is found when its line is read.

    `feed` and `close` raise `ValueError` for what is no array.
    """

    def __init__(self) -> None:
        self.count = 0  # elements found so far
        self._rest = bytearray()  # from the beginning of an element
        self._scanned = self._depth = 0  # bytes of the rest; brackets that are open at their end
        self._has_ended = False

    def feed(self, data: bytes) -> bytes:
        """Return the lines of the elements that have ended."""
        self._rest += data
        if not self._depth and not self._has_ended and not self._open():
            return b""
        lines = self._complete_elements()
        if self._has_ended and self._rest.strip(_BLANKS):
            raise ValueError(Text("something follows the array"))
        if len(self._rest) > MAX_RECORD_BYTES:
            raise ValueError(
                Text(
                    "element {number} is longer than {limit_mb} MB",
                    number=self.count + 1,
                    limit_mb=MAX_RECORD_BYTES >> 20,
                )
            )
        return lines

    def close(self) -> None:
        """Raise `ValueError` unless the array has ended."""
        if not self._has_ended:
            raise ValueError(Text("the array has no end") if self._depth else Text("it is not an array"))

    def _open(self) -> bool:
        """Return whether the array has begun."""
        text = self._rest.removeprefix(_BOM).lstrip(_BLANKS)
        if not text or _BOM.startswith(text):
            return False
        if not text.startswith(b"["):
            raise ValueError(Text("it is not an array"))
        self._rest, self._depth = text[1:], 1
        return True

    def _complete_elements(self) -> bytes:
        lines, begin = bytearray(), 0
        while not self._has_ended and (found := self._next_mark()):
            if (mark := found[1]) in {b"", b'"'}:  # the end of a piece, or a string that ends in a later one
                self._scanned = found.start(1)
                break
            self._scanned = found.end()
            if self._depth == 1 and mark in b",]":
                lines += self._line(begin, found.start(1), is_last=mark == b"]")
                begin, self._has_ended = self._scanned, mark == b"]"
            self._depth += (mark in b"[{") - (mark in b"]}")
        del self._rest[:begin]
        self._scanned -= begin
        return bytes(lines)

    def _next_mark(self) -> re.Match[bytes] | None:
        return (_TO_MARK if self._depth == 1 else _TO_BRACKET).match(self._rest, self._scanned)

    def _line(self, begin: int, end: int, *, is_last: bool) -> bytes:
        # Inside a string, a line break is as invalid as this one; outside, both are blanks.
        element = bytes(self._rest[begin:end]).strip(_BLANKS).replace(b"\n", b"\r")
        if not element:
            if is_last and not self.count:
                return b""
            raise ValueError(Text("element {number} is empty", number=self.count + 1))
        self.count += 1
        return element + b"\n"
