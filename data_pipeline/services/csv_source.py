"""What a load reads."""

from types import TracebackType
from typing import Protocol, Self


class CsvSource(Protocol):
    """CSV bytes that are read once.

    They come from a file or from Python records.
    """

    @property
    def size(self) -> int:
        """Bytes to read, for progress."""

    @property
    def position(self) -> int:
        """Bytes that were read, for progress."""

    def read(self, size: int, /) -> bytes:
        """Return the next bytes, or none at the end."""

    def line_of(self, csv_line: int, /) -> int:
        """Return the line of the artefact for a line of the CSV."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None, /
    ) -> None: ...
