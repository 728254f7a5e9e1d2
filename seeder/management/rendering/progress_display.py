"""How far long work has come: a bar on a terminal, now and then a line elsewhere, nothing beside JSON."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from time import monotonic
from typing import Protocol, Self

from django.core.management.base import OutputWrapper

_LINE_INTERVAL_SECONDS = 10.0  # seconds between two lines that say nothing else than how far it is


class ProgressDisplay(AbstractContextManager["ProgressDisplay"], Protocol):
    """Hears after each part of the work; from any thread."""

    def advance(self, completed: int, total: int, message: str = "") -> None:
        """`number` of `total` are done; `line` is what there is to say of the last one."""

    def __enter__(self) -> Self: ...


def create_progress_display(out: OutputWrapper, unit: str, *, json: bool, color: bool) -> ProgressDisplay:
    """What suits where the output goes; `parts` is what the work consists of, such as "views"."""
    if json:
        return SilentProgress()
    if not out.isatty():
        return ProgressLines(out, unit)
    from seeder.management.rendering.progress_bar import TerminalProgressBar

    return TerminalProgressBar(out, unit, color=color)


class SilentProgress:
    """Says nothing."""

    def advance(self, completed: int, total: int, message: str = "") -> None:
        pass

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass


class ProgressLines(SilentProgress):
    """A line for every part of which there is something to say; for others only when the work takes long."""

    def __init__(self, out: OutputWrapper, unit: str, *, clock: Callable[[], float] = monotonic) -> None:
        self._out, self._unit, self._clock = out, unit, clock
        self._started_at = self._last_line_at = clock()

    def advance(self, completed: int, total: int, message: str = "") -> None:
        now = self._clock()
        if message:
            self._write(f"{completed} of {total}: {message}")
        elif completed < total and now - self._last_line_at >= _LINE_INTERVAL_SECONDS:
            self._last_line_at = now
            self._write(f"{completed} of {total} {self._unit} after {now - self._started_at:.0f} s")

    def _write(self, line: str) -> None:
        self._out.write(line)
        self._out.flush()
