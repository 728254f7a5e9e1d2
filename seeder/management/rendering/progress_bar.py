"""Progress as a bar that is drawn in place, what there is to say above it."""

from typing import IO, Self, cast

from django.core.management.base import OutputWrapper
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn


class TerminalProgressBar:
    """Gone without a trace at the end."""

    def __init__(self, out: OutputWrapper, unit: str, *, color: bool) -> None:
        out.ending = ""  # Rich brings its own line ends
        self._out = out
        console = Console(file=cast("IO[str]", out), no_color=not color or None, highlight=False, emoji=False)
        columns = (BarColumn(), MofNCompleteColumn(), TextColumn(unit), TimeElapsedColumn(), TimeRemainingColumn())
        self._progress = Progress(*columns, console=console, transient=True, redirect_stderr=False)
        self._task = self._progress.add_task(unit, total=None)

    def advance(self, completed: int, total: int, message: str = "") -> None:
        self._progress.update(self._task, completed=completed, total=total)
        if message:
            self._progress.console.print(message, markup=False, soft_wrap=True)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()
        self._out.ending = "\n"
