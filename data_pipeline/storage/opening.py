"""Opens an artefact as a stream of CSV bytes in UTF-8."""

from contextlib import ExitStack
from types import TracebackType
from typing import Self

from data_pipeline.artefact_errors import UnsupportedFormat
from data_pipeline.storage.addresses import Address, open_source
from data_pipeline.storage.byte_streams import ByteStream, PieceStream
from data_pipeline.storage.file_formats import HEAD_BYTES, recognise
from data_pipeline.storage.hashed_source import HashedSource
from data_pipeline.storage.transcoding import as_utf8
from data_pipeline.storage.unpacking import unpacked
from data_pipeline.storage.workbooks import SheetCsv, open_workbook
from seeder.texts import Text


class Artefact:
    """An open artefact, read once from its beginning to its end."""

    def __init__(
        self, *, source: HashedSource, content: ByteStream | SheetCsv, file_format: str, compression: str | None
    ) -> None:
        self._source = source
        self._content = content
        self.format = file_format
        self.compression = compression
        self.size = source.size  # bytes on disk

    def read(self, size: int) -> bytes:
        """Return the next bytes of CSV, or none at the end."""
        return self._content.read(size)

    @property
    def position(self) -> int:
        """Bytes on disk that were read so far, for progress."""
        return self._content.position if isinstance(self._content, SheetCsv) else self._source.position

    @property
    def file_sha256(self) -> str:
        """The SHA-256 of the file on disk, in hexadecimal digits.

        It is known after the end was read.
        """
        return self._source.file_sha256

    @property
    def content_blake2b(self) -> str:
        """The BLAKE2b-256 of the file on disk, in hexadecimal digits.

        It is known after the end was read.
        """
        return self._source.content_blake2b

    def line_of(self, csv_line: int) -> int:
        """Return the line of the file, or the row of the sheet.

        `csv_line` is a line of the CSV. All count from 1.
        """
        return self._content.row_of(csv_line) if isinstance(self._content, SheetCsv) else csv_line

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._source.close()


def open_artefact(  # noqa: PLR0913  # facts of one artefact
    address: Address,
    *,
    max_unpacked_bytes: int,
    xlsx_in_memory_bytes: int = 32 << 20,
    sheet: str | None = None,
    encoding: str | None = None,
    is_hashed: bool = True,
) -> Artefact:
    """Open a workbook or a CSV file, perhaps compressed.

    The compression is gzip or zstd.

    The file's first bytes decide its format. `sheet` names a sheet of a workbook. `encoding` is that of text without a
    byte order mark. Old workbooks (XLS) are read as a whole, up to `xlsx_in_memory_bytes`. Hashes take a tenth of the
    time of a plain file.
    """
    with ExitStack() as stack:
        source = open_source(address)
        source.is_hashed = is_hashed
        stack.callback(source.close)
        head = source.read_at(0, HEAD_BYTES)
        container = recognise(head, path=source.path)
        content: ByteStream | SheetCsv
        if container in {"zip", "ole"}:
            file_format, content = open_workbook(
                source,
                container,
                sheet=sheet,
                max_unpacked_bytes=max_unpacked_bytes,
                xlsx_in_memory_bytes=xlsx_in_memory_bytes,
            )
            artefact = Artefact(source=source, content=content, file_format=file_format, compression=None)
        elif container in {"gzip", "zstd"}:
            stream = PieceStream(unpacked(source, container, max_unpacked_bytes=max_unpacked_bytes))
            head = stream.peek(HEAD_BYTES)
            _require_text(recognise(head, path=source.path), source, container)
            content = as_utf8(stream, head, declared=encoding, path=source.path)
            artefact = Artefact(source=source, content=content, file_format="csv", compression=container)
        else:
            content = as_utf8(source, head, declared=encoding, path=source.path)
            artefact = Artefact(source=source, content=content, file_format="csv", compression=None)
        stack.pop_all()
        return artefact


def _require_text(inner_format: str, source: HashedSource, compression: str) -> None:
    """Refuse a container inside a compressed file."""
    if inner_format != "csv":
        raise UnsupportedFormat(
            path=source.path,
            description=Text(
                "{inner_format} data inside {compression}", inner_format=inner_format, compression=compression
            ),
            advice=Text("Unpack the outer layer, and load the file inside."),
        )
