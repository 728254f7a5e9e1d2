"""What all kinds of workbooks have: sheets, and rows of cells."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol


class Row(NamedTuple):
    """A row of a sheet."""

    number: int  # as the spreadsheet program shows it, from 1
    fields: list[bytes]  # as in CSV, from column A; a missing or empty one is an empty cell


@dataclass(frozen=True, kw_only=True, slots=True)
class Sheet:
    """A sheet of cells."""

    name: str
    is_visible: bool
    key: str  # how its workbook finds it


class SheetReader(NamedTuple):
    """A sheet that is being read."""

    rows: Iterator[Row]
    progress: Callable[[], float]  # from 0 to 1


class Workbook(Protocol):
    """A workbook that can be read."""

    @property
    def sheets(self) -> Sequence[Sheet]:
        """Its sheets in order."""

    def read(self, sheet: Sheet) -> SheetReader:
        """Begin to read a sheet."""
