"""Output of commands: one JSON document, tables on a terminal, or plain lines.

Texts are translated when they are printed. JSON documents are English.
"""

import json
import os
from argparse import Namespace
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from time import monotonic
from typing import TYPE_CHECKING, Protocol

from seeder.domain.human_format import format_size
from seeder.domain.view_names import one_line
from seeder.services.translation import translated
from seeder.texts import Text

if TYPE_CHECKING:
    from rich.console import Console

_PROGRESS_INTERVAL = 10.0  # seconds between two lines that show only the progress

Styled = str | tuple[str, str]  # text, or text with a style of rich; plain lines ignore styles


@dataclass(frozen=True, kw_only=True, slots=True)
class TableRow:
    """A row of a table, and the line that replaces it in plain output.

    Printed alone, its cells are one line, and continue in the next one if the terminal is too narrow.
    """

    line: str
    cells: Sequence[Styled]


@dataclass(frozen=True, kw_only=True, slots=True)
class TextTable:
    """A table that is printed only if it has rows.

    The headings of figures end with `>`, see `figures`. Columns whose headings end with `+`, see `foldable`, move below
    the first column if the table is too wide.
    """

    headings: Sequence[str]
    rows: Sequence[TableRow]
    notes: Sequence[Styled] = ()  # shown below the table, but not in plain output


@dataclass(frozen=True, slots=True)
class Verbatim:
    """A line to copy, printed unchanged and never wrapped. It may have tabs, but no other control characters."""

    text: str
    style: str = ""


Block = Styled | TableRow | TextTable | Verbatim


class Progress(Protocol):
    """Shows how much is done."""

    def __call__(self, completed: int, total: int, message: str = "", /, *, detail: str = "") -> None:
        """Show the numbers of completed and all units, and details. Print a message about the last one."""


class LineOutput(Protocol):
    """A stream that adds its ending to each text, as those of Django's commands."""

    ending: str

    def write(self, msg: str, /) -> object:
        """Write a text with the ending."""

    def flush(self) -> object:
        """Write what is buffered."""

    def isatty(self) -> bool:
        """Return whether the stream is a terminal."""

    def fileno(self) -> int:
        """Return the descriptor of the stream."""


class OutputFailed(OSError):
    """The standard output cannot be written."""


class CommandOutput:
    """The standard output of a command, in the format that its options and the terminal require."""

    def __init__(self, out: LineOutput, options: Namespace) -> None:
        self._out = out
        if hasattr(out, "reconfigure"):  # names can have characters that the encoding lacks
            out.reconfigure(errors="backslashreplace")
        self.is_json_lines = getattr(options, "json_lines", False)
        self.is_json = self.is_json_lines or getattr(options, "json", False)
        self.is_terminal = out.isatty() and not self.is_json
        self.has_table_option = getattr(options, "table", False)
        self.is_table = self.is_terminal or self.has_table_option
        self.redraws = False  # on a terminal, each text replaces the one before
        self.has_document = False  # of a result; an error must not follow it
        self.verbosity = getattr(options, "verbosity", 1)  # 0: failures only; 2: details
        self._color = not getattr(options, "no_color", False)

    @property
    def is_quiet(self) -> bool:
        return self.verbosity == 0

    @cached_property
    def console(self) -> "Console":
        # Importing rich takes a tenth of the start of a command, so plain output and JSON do without.
        from seeder.management.rendering.rich_output import create_console

        return create_console(self._out, color=self._color)

    def show(self, document: object, blocks: Iterable[Block]) -> None:
        """Print the JSON document with `--json`, in one line with `--json-lines`, otherwise the blocks.

        If the reader, such as head, has closed the pipe, the exit code is still that of the result.
        """
        try:
            if self.is_json:
                self.has_document = not self.is_json_lines
                with self._reports_failure():
                    indent = None if self.is_json_lines else 2
                    self._out.write(json.dumps(document, indent=indent, ensure_ascii=False))
            self.show_text(blocks)
        except BrokenPipeError:
            self.discard()

    def discard(self) -> None:
        """Discard what is still printed. Python would report the error again when it flushes at exit."""
        os.dup2(os.open(os.devnull, os.O_WRONLY), self._out.fileno())

    def show_text(self, blocks: Iterable[Block]) -> None:
        """Print the blocks as tables or as plain lines, or nothing with `--json`."""
        if self.is_table:
            from seeder.management.rendering.rich_output import print_blocks, redraw

            with self._reports_failure():
                (redraw if self.redraws and self.is_terminal else print_blocks)(self.console, blocks)
        elif not self.is_json:
            for line in _plain_lines(blocks):
                with self._reports_failure():  # and flushes: a reader that follows the log sees the line now
                    self._out.write(line)

    @contextmanager
    def _reports_failure(self) -> Iterator[None]:
        """Flush what the block has written. Raises `OutputFailed` if it cannot be written, such as to a full disk."""
        try:
            yield
            self._out.flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            raise OutputFailed(error.errno, error.strerror) from error

    @contextmanager
    def show_progress(self, unit: str) -> Iterator[Progress]:
        """Show progress: a bar on a terminal, otherwise messages and a line every ten seconds, nothing with JSON."""
        if self.is_terminal:
            from seeder.management.rendering.rich_output import progress_bar

            with progress_bar(self.console, unit) as advance:
                yield advance
        else:
            yield self._progress_lines(unit)

    def _progress_lines(self, unit: str) -> Progress:
        started_at = last_line_at = monotonic()

        def advance(completed: int, total: int, message: str = "", /, *, detail: str = "") -> None:
            nonlocal last_line_at
            now = monotonic()
            with suppress(OSError):  # work continues without a reader; the result at the end reports the failure
                if message:
                    line = Text("{completed} of {total}: {message}", completed=completed, total=total, message=message)
                    self.show_text([line])
                elif completed < total and now - last_line_at >= _PROGRESS_INTERVAL:
                    last_line_at = now
                    facts = Text.joined(filter(None, [progress_text(completed, total, unit), detail]))
                    self.show_text([Text("{facts} after {seconds:.0f} s", facts=facts, seconds=now - started_at)])

        return advance


def progress_text(completed: int, total: int, unit: str) -> Text:
    """Return the completed share: `24 MB of 117 MB` if the unit is bytes, otherwise `3 of 10 views`."""
    if unit == "bytes":
        return Text("{completed} of {total}", completed=format_size(completed), total=format_size(total))
    return Text("{completed} of {total} {unit}", completed=completed, total=total, unit=unit)


def figures(heading: str) -> Text:
    """Return the heading of a column of figures."""
    return Text.joined([heading, ">"], "")


def foldable(heading: str) -> Text:
    """Return the heading of a column that moves below the first one if the table is too wide."""
    return Text.joined([heading, "+"], "")


def _plain_lines(blocks: Iterable[Block]) -> Iterator[str]:
    for block in blocks:
        match block:
            case TextTable(rows=rows):
                yield from (one_line(translated(row.line)) for row in rows)
            case TableRow(line=line):
                yield one_line(translated(line))
            case Verbatim(text=text):
                yield translated(text)
            case (text, _) | text:
                yield one_line(translated(text))
