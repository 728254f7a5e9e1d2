"""Recognises formats by their first bytes, never by the file's name."""

from pathlib import Path
from typing import NamedTuple

from data_pipeline.artefact_errors import UnsupportedFormat

HEAD_BYTES = 512  # enough for every signature

UTF_8_BOM = b"\xef\xbb\xbf"
_EXPORT = "Export the table as CSV or XLSX, and load that file."
_UNPACK = "Unpack it, or compress it with gzip."
_SAVE_AS_CSV = "Open it in a spreadsheet program, save it as CSV or XLSX, and load that file."
_TEXT = "Save it as UTF-8."


class Signature(NamedTuple):
    """Bytes that identify a format, and what to do about it."""

    offset: int
    magic: bytes
    description: str
    advice: str


# Only signatures that no text file has: a CSV file may begin with "BZh" or "MZ".
_UNSUPPORTED = [
    Signature(0, b"%PDF-", "a PDF document", _EXPORT),
    Signature(0, b"\x89PNG\r\n\x1a\n", "a PNG image", _EXPORT),
    Signature(0, b"\xff\xd8\xff", "a JPEG image", _EXPORT),
    Signature(0, b"GIF87a", "a GIF image", _EXPORT),
    Signature(0, b"GIF89a", "a GIF image", _EXPORT),
    Signature(0, b"PAR1", "a Parquet file", _EXPORT),
    Signature(0, b"ARROW1\0\0", "an Arrow file", _EXPORT),
    Signature(0, b"Obj\x01", "an Avro file", _EXPORT),
    Signature(0, b"\x89HDF\r\n\x1a\n", "an HDF5 file", _EXPORT),
    Signature(0, b"SQLite format 3\0", "a SQLite database", _EXPORT),
    Signature(0, b"PGDMP", "a PostgreSQL dump", "Restore it with pg_restore."),
    Signature(0, b"\x7fELF", "a program", _EXPORT),
    Signature(0, b"\xfd7zXZ\0", "compressed with xz", _UNPACK),
    Signature(0, b"\x04\x22\x4d\x18", "compressed with lz4", _UNPACK),
    Signature(4, b"1AY&SY", "compressed with bzip2", _UNPACK),
    Signature(0, b"7z\xbc\xaf\x27\x1c", "a 7z archive", _UNPACK),
    Signature(0, b"Rar!\x1a\x07", "a RAR archive", _UNPACK),
    Signature(257, b"ustar", "a tar archive", _UNPACK),
    Signature(0, b"\xff\xfe\0\0", "text in UTF-32", _TEXT),
    Signature(0, b"\0\0\xfe\xff", "text in UTF-32", _TEXT),
]
_MARKUP = [
    Signature(0, b"<!doctype html", "a web page", _SAVE_AS_CSV),
    Signature(0, b"<html", "a web page", _SAVE_AS_CSV),
    Signature(0, b"<?xml", "an XML file", _SAVE_AS_CSV),
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
