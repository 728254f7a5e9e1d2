"""How far a load is."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class LoadProgress:
    """The state of a load after a chunk."""

    bytes_read: int  # of the file on disk
    bytes_total: int
    records: int
    rejected: int
