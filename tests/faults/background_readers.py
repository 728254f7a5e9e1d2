"""Readers that run in a thread beside the refreshes of a test."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event
from typing import Protocol, TypeVar

from tests.faults.private_server import wait_until


class BackgroundReader(Protocol):
    """Reads until `done` is set."""

    reads: int
    done: Event

    def read(self) -> None: ...


AnyReader = TypeVar("AnyReader", bound=BackgroundReader)


@contextmanager
def running(reader: AnyReader) -> Iterator[AnyReader]:
    """Run a reader in the context, from its first read on."""
    with ThreadPoolExecutor(1) as threads:
        future = threads.submit(reader.read)
        try:
            wait_until(lambda: reader.reads or future.done())
            yield reader
        finally:
            reader.done.set()
        future.result()
