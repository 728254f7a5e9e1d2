"""The geometry of drawings with boxes in columns and lines between them. Lengths are in pixels."""

from typing import Protocol

MARGIN = 10  # inside of a box
_CHARACTER_WIDTH = 6.7  # of the monospaced font


class Box(Protocol):
    """A box by its left upper corner."""

    @property
    def x(self) -> int: ...
    @property
    def y(self) -> int: ...
    @property
    def width(self) -> int: ...
    @property
    def height(self) -> int: ...


def column_height(rows: int, *, row_step: int, height: int) -> int:
    """Return the height of a column of boxes."""
    return rows * row_step - (row_step - height)


def shortened(text: str, width: int, character_width: float = _CHARACTER_WIDTH) -> str:
    """Return what fits in a box: the beginning and the end, because similar names often differ at the end."""
    fitting = int((width - 2 * MARGIN) / character_width)
    if len(text) <= fitting:
        return text
    end = fitting // 2 - 1
    return f"{text[: fitting - end - 1]}…{text[-end:]}"


def line(one: Box, other: Box, *, gap: int) -> str:
    """Return the path from the right side of one box to the left side of the other. It bends in the last gap."""
    x1, y1, x2, y2 = one.x + one.width, one.y + one.height // 2, other.x, other.y + other.height // 2
    middle = x2 - gap // 2
    return f"M{x1} {y1}C{middle} {y1} {middle} {y2} {x2 - 6} {y2}"
