"""Opens files of the tests as artefacts."""

import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from data_pipeline.storage.file_addresses import resolve
from data_pipeline.storage.opening import Artefact, open_artefact

MB = 1 << 20


def opened(
    path: Path, *, max_unpacked_bytes: int = 64 * MB, sheet: str | None = None, encoding: str | None = None
) -> Artefact:
    """Open a file with limits that suit tests."""
    address = resolve(str(path), roots=[])
    return open_artefact(address, max_unpacked_bytes=max_unpacked_bytes, sheet=sheet, encoding=encoding)


def read_all(artefact: Artefact, size: int = 1 << 16) -> bytes:
    """Read an artefact to its end in reads of one size."""
    return b"".join(iter(lambda: artefact.read(size), b""))


def csv_of(
    path: Path, *, max_unpacked_bytes: int = 64 * MB, sheet: str | None = None, encoding: str | None = None
) -> bytes:
    """Return the CSV of a file."""
    with opened(path, max_unpacked_bytes=max_unpacked_bytes, sheet=sheet, encoding=encoding) as artefact:
        return read_all(artefact)


@contextmanager
def memory_limit(limit: int) -> Iterator[None]:
    """Require that the block allocates less than this number of bytes at a time."""
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < limit
    finally:
        tracemalloc.stop()
