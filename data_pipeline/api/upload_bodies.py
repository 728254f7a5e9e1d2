"""Reads uploads from the bodies of requests, piece by piece.

They are held neither in memory nor in temporary files.
"""

from collections.abc import Callable, Mapping
from typing import Any

from django.core.exceptions import SuspiciousOperation
from django.core.files.uploadhandler import FileUploadHandler
from django.http import UnreadablePostError
from django.http.multipartparser import MultiPartParser, MultiPartParserError
from rest_framework.parsers import BaseParser
from rest_framework.request import Request

from data_pipeline.domain.upload_labels import clean_label
from data_pipeline.upload_errors import (
    EmptyUpload,
    LengthMissing,
    MalformedUpload,
    UploadIncomplete,
    UploadTooLarge,
)
from seeder.domain.human_format import format_size
from seeder.texts import Text

MULTIPART, JSON = "multipart/form-data", "application/json"
_PIECE_BYTES = 1 << 18
_MAX_FIELD_BYTES = 1 << 20  # of a form beside its file
_MAX_TAIL_BYTES = 128  # a boundary has 70 characters at most

Write = Callable[[bytes], None]


class UnreadBody(BaseParser):
    """Leaves the body to the endpoint. A session therefore needs the CSRF token in the header `X-CSRFToken`."""

    media_type = "*/*"

    def parse(self, *_: Any, **__: Any) -> Mapping[str, Any]:
        return {}


def media_type_of(request: Request) -> str:
    return (request.content_type or "").partition(";")[0].strip().lower()


def length_of(request: Request, *, max_bytes: int) -> int:
    """Return the length of the body. Raises `LengthMissing`, `EmptyUpload` or `UploadTooLarge`."""
    text = request.META.get("CONTENT_LENGTH") or ("" if "Transfer-Encoding" in request.headers else "0")
    if not (text.isascii() and text.isdigit()):
        raise LengthMissing
    if not (length := int(text)):
        raise EmptyUpload
    if length > max_bytes + (_MAX_FIELD_BYTES if media_type_of(request) == MULTIPART else 0):
        raise UploadTooLarge(limit=format_size(max_bytes))
    return length


def copy_body(request: Request, length: int, write: Write) -> None:
    """Pass the whole body on. Raises `UploadIncomplete` if the client is gone."""
    body = _Body(request, length)
    while piece := body.read(_PIECE_BYTES):
        write(piece)
    body.require_end()


def copy_file_of_form(request: Request, length: int, write: Write) -> tuple[Mapping[str, str], str | None]:
    """Pass the bytes of the form's only file on. Return the other fields and the file's label.

    Raises `UploadIncomplete` or `MalformedUpload`.
    """
    body, file = _Body(request, length), _FilePart(write)
    try:
        parser = MultiPartParser(request.META, body, [file], request.encoding)  # type: ignore[arg-type]  # it only reads
        fields, _ = parser.parse()
    except (MultiPartParserError, SuspiciousOperation) as error:
        raise _malformed(str(error) or Text("it is no form")) from error
    body.require_end()
    if not body.tail.rstrip(b"\r\n").endswith(b"--"):  # Django takes what there is
        raise _malformed(Text("it does not end with its boundary"))
    if file.label is None:
        raise _malformed(Text("it has no file"))
    if repeated := [name for name, values in fields.lists() if len(values) > 1]:
        raise _malformed(Text("it has {name!r} more than once", name=repeated[0]))
    return {name: str(value) for name, value in fields.dict().items()}, clean_label(file.label)


class _FilePart(FileUploadHandler):
    """The only file of a form."""

    chunk_size = _PIECE_BYTES

    def __init__(self, write: Write) -> None:
        super().__init__()
        self._write = write
        self.label: str | None = None  # as the client named the file

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        if self.label is not None:
            raise _malformed(Text("it has more than one file"))
        self.label = str(self.file_name)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        self._write(raw_data)

    def file_complete(self, file_size: int) -> None:
        """Return no file, because its bytes have been passed on."""


class _Body:
    """The body of a request, and how much of it has come."""

    def __init__(self, request: Request, length: int) -> None:
        self._stream, self._length = request.stream, length
        self._received = 0
        self.tail = b""

    def read(self, size: int | None = None, /) -> bytes:
        try:
            data: bytes = self._stream.read(-1 if size is None else size)
        except UnreadablePostError:  # the client has closed the connection
            data = b""
        self._received += len(data)
        self.tail = (self.tail + data[-_MAX_TAIL_BYTES:])[-_MAX_TAIL_BYTES:]
        return data

    def require_end(self) -> None:
        if self._received < self._length:
            raise UploadIncomplete(received=self._received, expected=self._length)


def _malformed(problem: str) -> MalformedUpload:
    return MalformedUpload(content_type=MULTIPART, problem=problem)
