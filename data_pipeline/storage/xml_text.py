"""Text in the XML of workbooks."""

import re

from data_pipeline.storage.xml_parsing import Attributes

# Characters that XML cannot have are written as `_x000D_`.
_ESCAPE = re.compile(rb"_x([0-9A-Fa-f]{4})_")
_SPACE = " \t\r\n"
_NAMED = [(b"&lt;", b"<"), (b"&gt;", b">"), (b"&quot;", b'"'), (b"&apos;", b"'"), (b"&amp;", b"&")]
IRREGULAR_REFERENCE = re.compile(rb"&(?!(?:lt|gt|quot|apos|amp);)")


def unescaped(text: bytes) -> bytes:
    """Return text with the characters of its escapes. Halves of surrogate pairs stay as they are."""
    return _ESCAPE.sub(_escaped_character, text) if b"_x" in text else text


def regular_text(raw: bytes, *, is_preserved: bool) -> bytes:
    """Return the text of XML in which `IRREGULAR_REFERENCE` was not found."""
    if not is_preserved:
        raw = raw.strip(_SPACE.encode())
    return unescaped(dereferenced(raw))


def dereferenced(raw: bytes) -> bytes:
    """Return the characters of XML in which `IRREGULAR_REFERENCE` was not found."""
    if b"&" in raw:
        for reference, character in _NAMED:
            raw = raw.replace(reference, character)
    return raw


def _escaped_character(match: re.Match[bytes]) -> bytes:
    code = int(match[1], 16)
    return match[0] if 0xD800 <= code < 0xE000 else chr(code).encode()


class RichText:
    """Joins the runs of a text. The pronunciation of Japanese text is left out."""

    def __init__(self) -> None:
        self._runs: list[bytes] = []
        self._run: list[str] | None = None
        self._is_preserved = False
        self._is_pronunciation = False

    def start(self, name: str, attributes: Attributes) -> None:
        """Note the start of an element."""
        if name == "rPh":
            self._is_pronunciation = True
        elif name == "t" and not self._is_pronunciation:
            self._run = []
            self._is_preserved = attributes.get("xml:space") == "preserve"

    def add(self, text: str) -> None:
        """Add text of the element that was started last."""
        if self._run is not None:
            self._run.append(text)

    def end(self, name: str) -> None:
        """Note the end of an element."""
        if name == "rPh":
            self._is_pronunciation = False
        elif name == "t" and self._run is not None:
            text = "".join(self._run)
            self._runs.append(unescaped((text if self._is_preserved else text.strip(_SPACE)).encode()))
            self._run = None

    def take(self) -> bytes:
        """Return the text, and begin another."""
        text = b"".join(self._runs)
        self._runs.clear()
        return text
