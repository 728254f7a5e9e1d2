"""How far a load is."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from seeder.domain.human_format import format_count
from seeder.texts import Text


@dataclass(frozen=True, kw_only=True, slots=True)
class LoadProgress:
    """The state of a load after a chunk."""

    bytes_read: int  # of the file on disk
    bytes_total: int
    records: int
    rejected: int
    is_merging: bool = False  # all records are staged, and are written to the table


def progress_text(progress: LoadProgress, elapsed: timedelta) -> Text:
    """Return `640,000 rows, 3 rejected, 320,000 rows/s`."""
    return Text.joined(_parts(progress, elapsed.total_seconds()))


def _parts(progress: LoadProgress, seconds: float) -> Iterator[Text]:
    yield format_count(progress.records, "row")
    if progress.rejected:
        yield Text("{number:,} rejected", number=progress.rejected)
    if progress.is_merging:
        yield Text("merging into the table")
    elif seconds > 0:
        yield Text("{number:,} rows/s", number=round(progress.records / seconds))
