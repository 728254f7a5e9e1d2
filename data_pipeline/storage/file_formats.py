"""Recognises formats by their first bytes, never by the file's name."""

from pathlib import Path
from typing import NamedTuple

from data_pipeline.artefact_errors import UnsupportedFormat
from seeder.texts import Text

HEAD_BYTES = 512  # enough for every signature

UTF_8_BOM = b"\xef\xbb\xbf"
_EXPORT = Text("Export the table as CSV or XLSX, and load that file.")
_UNPACK = Text("Unpack it, or compress it with gzip.")
_SAVE_AS_CSV = Text("Open it in a spreadsheet program, save it as CSV or XLSX, and load that file.")
_TEXT = Text("Save it as UTF-8.")


class Signature(NamedTuple):
    """Bytes that identify a format, and what to do about it."""

    offset: int
    magic: bytes
    description: str
    advice: str


# Only signatures that no text file has: a CSV file may begin with "BZh" or "MZ".
_UNSUPPORTED = [
    Signature(0, b"%PDF-", Text("a PDF document"), _EXPORT),
    Signature(0, b"\x89PNG\r\n\x1a\n", Text("a PNG image"), _EXPORT),
    Signature(0, b"\xff\xd8\xff", Text("a JPEG image"), _EXPORT),
    Signature(0, b"GIF87a", Text("a GIF image"), _EXPORT),
    Signature(0, b"GIF89a", Text("a GIF image"), _EXPORT),
    Signature(0, b"PAR1", Text("a Parquet file"), _EXPORT),
    Signature(0, b"ARROW1\0\0", Text("an Arrow file"), _EXPORT),
    Signature(0, b"Obj\x01", Text("an Avro file"), _EXPORT),
    Signature(0, b"\x89HDF\r\n\x1a\n", Text("an HDF5 file"), _EXPORT),
    Signature(0, b"SQLite format 3\0", Text("a SQLite database"), _EXPORT),
    Signature(0, b"PGDMP", Text("a PostgreSQL dump"), Text("Restore it with pg_restore.")),
    Signature(0, b"\x7fELF", Text("a program"), _EXPORT),
    Signature(0, b"\xfd7zXZ\0", Text("compressed with xz"), _UNPACK),
    Signature(0, b"\x04\x22\x4d\x18", Text("compressed with lz4"), _UNPACK),
    Signature(4, b"1AY&SY", Text("compressed with bzip2"), _UNPACK),
    Signature(0, b"7z\xbc\xaf\x27\x1c", Text("a 7z archive"), _UNPACK),
    Signature(0, b"Rar!\x1a\x07", Text("a RAR archive"), _UNPACK),
    Signature(257, b"ustar", Text("a tar archive"), _UNPACK),
    Signature(0, b"\xff\xfe\0\0", Text("text in UTF-32"), _TEXT),
    Signature(0, b"\0\0\xfe\xff", Text("text in UTF-32"), _TEXT),
]
_MARKUP = [
    Signature(0, b"<!doctype html", Text("a web page"), _SAVE_AS_CSV),
    Signature(0, b"<html", Text("a web page"), _SAVE_AS_CSV),
    Signature(0, b"<?xml", Text("an XML file"), _SAVE_AS_CSV),
]
_CONTAINERS = {
    b"\x1f\x8b": "gzip",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"PK\x03\x04": "zip",
    b"PK\x05\x06": "zip",  # without members
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "ole",
}


def recognise(head: bytes, *, path: Path | str) -> str:
    """Return `csv`, `gzip`, `zstd`, `zip` or `ole`. Everything that is not recognised is CSV.

    Raises `UnsupportedFormat` for other formats that are uploaded by mistake.
    """
    for magic, name in _CONTAINERS.items():
        if head.startswith(magic):
            return name
    markup = head.removeprefix(UTF_8_BOM).lstrip()[:16].lower()
    for text, signatures in ((head, _UNSUPPORTED), (markup, _MARKUP)):
        for signature in signatures:
            if text.startswith(signature.magic, signature.offset):
                raise UnsupportedFormat(path=path, description=signature.description, advice=signature.advice)
    return "csv"
