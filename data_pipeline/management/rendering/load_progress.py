"""The progress of a load on the output of a command."""

from collections.abc import Callable
from datetime import timedelta
from time import monotonic

from data_pipeline.domain.load_progress import LoadProgress, progress_text
from data_pipeline.services.chunk_loader import ProgressListener
from seeder.management.rendering.command_output import Progress


def progress_listener(advance: Progress, *, clock: Callable[[], float] = monotonic) -> ProgressListener:
    """Return a listener that shows the progress and the rate.

    It shows bytes, rows, rejects, and rows per second since now.
    """
    started_at = clock()

    def on_progress(progress: LoadProgress) -> None:
        detail = progress_text(progress, timedelta(seconds=clock() - started_at))
        advance(progress.bytes_read, progress.bytes_total, detail=detail)

    return on_progress
