"""The rejected records of a load, kept within bounds."""

from dataclasses import replace

from data_pipeline.domain.rejects import Reject

MAX_KEPT_BYTES = 16 * 1024 * 1024  # of all raw records of a load
MAX_RAW_AFTERWARDS = 256  # bytes of each record beyond that


class RejectCollector:
    """Counts all rejected records, and keeps the first ones."""

    def __init__(self, *, max_kept: int) -> None:
        self.count = 0
        self.first: Reject | None = None  # in the file
        self._kept: list[Reject] = []
        self._max_kept, self._bytes = max_kept, 0

    def add(self, rejects: list[Reject]) -> None:
        """Add rejects in the order of the file."""
        self.count += len(rejects)
        self.first = min(filter(None, [self.first, *rejects[:1]]), key=lambda one: one.record_no, default=None)
        for one in rejects[: self._max_kept - len(self._kept)]:
            kept = one if self._bytes < MAX_KEPT_BYTES else replace(one, raw=one.raw[:MAX_RAW_AFTERWARDS])
            self._bytes += len(kept.raw)
            self._kept.append(kept)

    @property
    def kept(self) -> list[Reject]:
        """The kept records, in the order of the file. A merge adds records after those of all chunks."""
        return sorted(self._kept, key=lambda one: one.record_no)
