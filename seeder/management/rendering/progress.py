"""How far long work has come: a bar on a terminal, now and then a line elsewhere, nothing beside JSON."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from time import monotonic
from typing import Protocol, Self

from django.core.management.base import OutputWrapper

_EVERY = 10.0  # seconds between two lines that say nothing else than how far it is


class Progress(AbstractContextManager["Progress"], Protocol):
    """Hears after each part of the work; from any thread."""

    def done(self, number: int, total: int, line: str = "") -> None:
        """`number` of `total` are done; `line` is what there is to say of the last one."""

    def __enter__(self) -> Self: ...


def progress(out: OutputWrapper, parts: str, *, json: bool, color: bool) -> Progress:
    """What suits where the output goes; `parts` is what the work consists of, such as "views"."""
    if json:
        return Silent()
    if not out.isatty():
        return Lines(out, parts)
    from seeder.management.rendering.bar import Bar

    return Bar(out, parts, color=color)


class Silent:
    """Says nothing."""

    def done(self, number: int, total: int, line: str = "") -> None:
        pass

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass


class Lines(Silent):
    """A line for every part of which there is something to say; for others only when the work takes long."""

    def __init__(self, out: OutputWrapper, parts: str, *, clock: Callable[[], float] = monotonic) -> None:
        self._out, self._parts, self._clock = out, parts, clock
        self._began = self._last = clock()

    def done(self, number: int, total: int, line: str = "") -> None:
        now = self._clock()
        if line:
            self._write(f"{number} of {total}: {line}")
        elif number < total and now - self._last >= _EVERY:
            self._last = now
            self._write(f"{number} of {total} {self._parts} after {now - self._began:.0f} s")

    def _write(self, line: str) -> None:
        self._out.write(line)
        self._out.flush()
