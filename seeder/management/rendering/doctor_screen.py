"""What was found in the databases, on a terminal."""

from django.core.management.base import OutputWrapper
from rich.padding import Padding
from rich.segment import Segment, Segments
from rich.style import Style
from rich.text import Text

from seeder.domain.doctor.diagnosis import DoctorReport, Level
from seeder.management.rendering.doctor import Line, Part, examination_lines
from seeder.management.rendering.tables import console

_COLORS = {Level.ERROR: "red", Level.WARNING: "yellow", Level.INFO: "cyan", None: "green"}


def print_examination(out: OutputWrapper, found: DoctorReport, *, everything: bool, color: bool) -> None:
    screen = console(out, color=color)
    for line in examination_lines(found, everything=everything):
        text = Text(line.text, style=_style(line))
        if line.part is Part.SQL:  # which a line end more would change, and blanks in place of a tab
            screen.print(Segments([Segment(line.text, Style.parse(_style(line)))], new_lines=True), soft_wrap=True)
        else:
            hanging = 2 if line.part is Part.FIX else 0
            screen.print(Padding(text, (0, 0, 0, line.indent + hanging)) if line.indent else text)


def _style(line: Line) -> str:
    match line.part:
        case Part.TOTAL | Part.HEADING:
            return f"bold {_COLORS[line.level]}"
        case Part.WORD:
            return _COLORS[line.level]
        case Part.SQL:
            return "bold"
        case Part.DATABASE:
            return "dim"
        case _:
            return ""
