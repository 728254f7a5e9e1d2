"""Streams of bytes that are made piece by piece."""

from collections.abc import Iterator
from typing import Protocol


class ByteStream(Protocol):
    """What can be read from its beginning to its end."""

    def read(self, size: int, /) -> bytes:
        """Return at most this number of bytes, or none at the end."""


class PieceStream:
    """A stream over pieces of any length."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._buffer = bytearray()

    def peek(self, size: int) -> bytes:
        """Return the next bytes without taking them. Fewer come at the end only."""
        while len(self._buffer) < size and (piece := next(self._pieces, None)) is not None:
            self._buffer += piece
        with memoryview(self._buffer) as view:
            return bytes(view[:size])

    def read(self, size: int, /) -> bytes:
        """Return the next bytes. Fewer come at the end only."""
        data = self.peek(size)
        del self._buffer[: len(data)]
        return data
