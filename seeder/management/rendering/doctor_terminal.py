"""What was found in the databases, on a terminal."""

from django.core.management.base import OutputWrapper
from rich.padding import Padding
from rich.segment import Segment, Segments
from rich.style import Style
from rich.text import Text

from seeder.domain.doctor.diagnosis import DoctorReport, Level
from seeder.management.rendering.doctor_lines import DoctorLine, DoctorLineKind, doctor_report_lines
from seeder.management.rendering.rich_output import create_console

_COLORS = {Level.ERROR: "red", Level.WARNING: "yellow", Level.INFO: "cyan", None: "green"}


def print_doctor_report(out: OutputWrapper, report: DoctorReport, *, show_all: bool, color: bool) -> None:
    screen = create_console(out, color=color)
    for line in doctor_report_lines(report, show_all=show_all):
        text = Text(line.text, style=_style(line))
        if line.kind is DoctorLineKind.SQL:  # which a line end more would change, and blanks in place of a tab
            screen.print(Segments([Segment(line.text, Style.parse(_style(line)))], new_lines=True), soft_wrap=True)
        else:
            extra_indent = 2 if line.kind is DoctorLineKind.FIX else 0
            screen.print(Padding(text, (0, 0, 0, line.indent + extra_indent)) if line.indent else text)


def _style(line: DoctorLine) -> str:
    match line.kind:
        case DoctorLineKind.TOTAL | DoctorLineKind.HEADING:
            return f"bold {_COLORS[line.level]}"
        case DoctorLineKind.PROBLEM:
            return _COLORS[line.level]
        case DoctorLineKind.SQL:
            return "bold"
        case DoctorLineKind.DATABASE:
            return "dim"
        case _:
            return ""
