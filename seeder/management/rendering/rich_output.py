"""Tables and progress bars by rich."""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import compress
from operator import not_
from typing import IO, cast

from rich import box
from rich.cells import cell_len
from rich.console import Console, RenderableType
from rich.live import Live
from rich.progress import BarColumn, ProgressColumn, Task, TextColumn
from rich.progress import Progress as RichProgress
from rich.segment import Segment, Segments
from rich.style import Style
from rich.table import Table
from rich.text import Text as RichText

from seeder.domain.human_format import format_duration
from seeder.domain.view_names import one_line
from seeder.management.rendering.command_output import (
    Block,
    LineOutput,
    Progress,
    Styled,
    TableRow,
    TextTable,
    Verbatim,
    progress_text,
)
from seeder.services.translation import translated
from seeder.texts import Text

_DEFAULT_WIDTH = 132  # characters, if neither a terminal nor COLUMNS sets the width

_HOME, _ERASE_REST_OF_LINE, _ERASE_BELOW = "\x1b[H", "\x1b[K", "\x1b[J"
_CELL_GAP, _CONTINUED = "  ", " " * 4


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Raise the error. Rich would end the process with 1, even if the command has succeeded."""
        raise  # noqa: PLE0704  # rich calls this where it catches the error


def create_console(out: LineOutput, *, color: bool) -> Console:
    """Return a console as wide as the terminal."""
    out.ending = ""  # rich writes line ends itself
    width = None if out.isatty() or "COLUMNS" in os.environ else _DEFAULT_WIDTH
    return _Console(file=cast("IO[str]", out), width=width, no_color=not color or None, highlight=False, emoji=False)


def print_blocks(console: Console, blocks: Iterable[Block]) -> None:
    for block in blocks:
        if isinstance(block, Verbatim):  # a rich text would have blanks instead of tabs
            segment = Segment(translated(block.text), Style.parse(block.style))
            console.print(Segments([segment], new_lines=True), soft_wrap=True)
        elif isinstance(block, TableRow):
            console.print(_row_text(block, console.width), soft_wrap=True)
        elif not isinstance(block, TextTable):
            console.print(line_text(block), soft_wrap=True)
        elif block.rows:
            console.print(_rich_table(block, console.width))
            for note in block.notes:
                console.print(line_text(note), soft_wrap=True)


def redraw(console: Console, blocks: Iterable[Block]) -> None:
    """Draw the blocks from the top of the screen over what is there, as far as they fit."""
    with console.capture() as capture:
        time = f"{datetime.now().astimezone():%H:%M:%S %Z}"
        console.print(line_text((Text("{time}, until Ctrl-C", time=time), "dim")))
        print_blocks(console, blocks)
    lines = capture.get().splitlines()[: console.height - 1]
    console.file.write(_HOME + "".join(f"{line}{_ERASE_REST_OF_LINE}\n" for line in lines) + _ERASE_BELOW)


class _TimeColumn(ProgressColumn):
    max_refresh = 0.5

    def render(self, task: Task) -> RichText:
        """Return the elapsed time, also of what follows the last unit, and the expected rest."""
        facts = [Text("{duration} elapsed", duration=_seconds_text(task.elapsed or 0))]
        if task.time_remaining:
            facts.append(Text("about {duration} left", duration=_seconds_text(task.time_remaining)))
        return line_text((Text.joined(facts), "dim"))


class _ProgressBar(RichProgress):
    def get_renderables(self) -> Iterator[RenderableType]:
        """Yield the bar, and below it the details: together they would be wider than a terminal."""
        yield self.make_tasks_table(self.tasks)
        for task in self.tasks:
            if detail := task.fields["detail"]:
                yield RichText(translated(detail), style="dim", no_wrap=True, overflow="ellipsis")


@contextmanager
def undisturbed(live: Live) -> Iterator[None]:
    """Keep the thread of rich from drawing meanwhile.

    Otherwise it can draw over a line that is printed at the same time, because rich reads the height of its picture
    before it draws the next one.
    """
    with live._lock:  # noqa: SLF001  # rich has no public name for it
        yield


@contextmanager
def progress_bar(console: Console, unit: str) -> Iterator[Progress]:
    """Draw a bar, with messages above it and details below it. It is erased at the end."""
    columns = (BarColumn(bar_width=24), TextColumn("{task.description}"), _TimeColumn())
    with _ProgressBar(*columns, console=console, transient=True, redirect_stderr=False) as bar:
        task = bar.add_task("", total=None, detail="")

        def advance(completed: int, total: int, message: str = "", /, *, detail: str = "") -> None:
            share = translated(progress_text(completed, total, unit))
            bar.update(task, completed=completed, total=total, description=share, detail=detail)
            if message:
                with undisturbed(bar.live):
                    console.print(line_text(message), soft_wrap=True)

        yield advance


def _seconds_text(seconds: float) -> Text:
    return format_duration(timedelta(seconds=seconds))


def line_text(content: Styled) -> RichText:
    """Return styled text of one or several lines. Other control characters are escaped."""
    text, style = (content, "") if isinstance(content, str) else content
    return RichText("\n".join(map(one_line, translated(text).split("\n"))), style=style)


def _cell_text(content: Styled) -> RichText:
    text, style = (content, "") if isinstance(content, str) else content
    return RichText(one_line(translated(text)), style=style)


def _row_text(row: TableRow, width: int) -> RichText:
    """Return the cells of a row that is printed alone, in as few lines as the width allows."""
    lines = [RichText()]
    for cell in map(_cell_text, row.cells):
        gap = _CELL_GAP if lines[-1] else ""
        if gap and lines[-1].cell_len + len(gap) + cell_len(cell.plain.rstrip()) > width:
            lines.append(RichText(_CONTINUED).append(cell.plain.strip(), cell.style))
        else:
            lines[-1].append(gap).append_text(cell)
    for line in lines:
        line.rstrip()
    return RichText("\n").join(lines)


def _rich_table(content: TextTable, console_width: int) -> Table:
    rows = [[_cell_text(cell) for cell in row.cells] for row in content.rows]
    headings = [*map(translated, content.headings)]
    columns = zip(map(RichText, headings), *rows, strict=True)
    is_too_wide = sum(max(cell.cell_len for cell in column) + 2 for column in columns) > console_width
    is_below = [heading.endswith("+") and is_too_wide for heading in headings]
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in compress(headings, map(not_, is_below)):
        is_figure = heading.endswith(">")
        table.add_column(
            heading.rstrip(">+"), justify="right" if is_figure else "left", no_wrap=is_figure, overflow="fold"
        )
    for cells in rows:
        first, *others = compress(cells, map(not_, is_below))
        below = RichText(", ").join(filter(None, compress(cells, is_below)))
        table.add_row(RichText("\n  ").join(filter(None, [first, below])), *others)
    return table
