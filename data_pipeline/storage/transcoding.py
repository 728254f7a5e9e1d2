"""Text in other encodings as UTF-8. A declared encoding or a byte order mark decides, and nothing is guessed."""

import codecs
from collections.abc import Iterator
from pathlib import Path

from data_pipeline.artefact_errors import UndecodableText, UnknownEncoding
from data_pipeline.storage.byte_streams import ByteStream, PieceStream
from data_pipeline.storage.file_formats import UTF_8_BOM
from seeder.texts import Text

_READ_AT_ONCE = 1 << 18  # bytes
_BYTE_ORDER_MARKS = {UTF_8_BOM: "utf-8", codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
_UNCHANGED = {"utf-8", "utf-8-sig"}  # PostgreSQL proves UTF-8, and names the line


def as_utf8(stream: ByteStream, head: bytes, *, declared: str | None, path: Path | str) -> ByteStream:
    """Return a stream of UTF-8 without a byte order mark. A mark outweighs the declared encoding.

    `head` is the stream's first bytes. Without a mark and a declared encoding, the bytes stay as they are.
    """
    encoding = None if declared is None else _canonical_name(declared)
    for mark, marked_encoding in _BYTE_ORDER_MARKS.items():
        if head.startswith(mark):
            stream.read(len(mark))
            encoding = marked_encoding
            break
    else:
        if encoding in {"utf-16", "utf-32"}:
            problem = Text("no byte order mark. Its encoding may be {encoding}-le or {encoding}-be", encoding=encoding)
            raise UndecodableText(path=path, encoding=encoding, line=1, problem=problem)
    return stream if encoding is None or encoding in _UNCHANGED else PieceStream(_transcoded(stream, encoding, path))


def _canonical_name(encoding: str) -> str:
    """Return Python's name of a text encoding."""
    try:
        codecs.getincrementaldecoder(encoding)
        "".encode(encoding)  # refuses codecs that are not of text, such as base64
        return codecs.lookup(encoding).name
    except (LookupError, UnicodeError, ValueError) as error:
        raise UnknownEncoding(encoding=encoding) from error


def _transcoded(stream: ByteStream, encoding: str, path: Path | str) -> Iterator[bytes]:
    """Yield the text as UTF-8. Raises `UndecodableText` at the first invalid byte."""
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    line = 1
    while True:
        raw = stream.read(_READ_AT_ONCE)
        try:
            text = decoder.decode(raw, final=not raw)
            yield text.encode()
        except UnicodeDecodeError as error:
            line += error.object[: error.start].decode(encoding, "replace").count("\n")
            problem = Text(
                "the bytes {bytes} ({reason})",
                bytes=error.object[error.start : error.end].hex(" "),
                reason=error.reason,
            )
            raise UndecodableText(path=path, encoding=encoding, line=line, problem=problem) from error
        line += text.count("\n")
        if not raw:
            return
