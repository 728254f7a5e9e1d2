"""Edited copies of public files: one as it was a year earlier, and three that a seeded random generator damages.

They are written below var/, and the output of the demo says that they are edited.
"""

import re
from collections.abc import Callable
from pathlib import Path
from random import Random

from demo.files import BERLIN, JUVENILES, MARYLAND, US_STATES, PublicFile

_SEED = 1979
_DAMAGED_LINES = 4
_ZERO = re.compile(rb"(,[1-9]\d*)0(?=,)")  # the last digit of a number
Lines = list[bytes]  # of a file, each with its line end; the first is the header


def write_earlier_edition(folder: Path) -> Path:
    """Write the estimates for the states without their last year, which the published file has."""
    return _write(folder / "estimated_crimes_1979_2018.csv", US_STATES, _without_2019)


def write_damaged_copies(folder: Path) -> list[tuple[PublicFile, Path]]:
    """Write three damaged copies. Return each with the file that it is a copy of."""
    damages = {JUVENILES: _put_letters_into_numbers, MARYLAND: _open_quote, BERLIN: _encode_as_latin_1}
    return [(file, _write(folder / f"damaged_{file.name}", file, damage)) for file, damage in damages.items()]


def _write(path: Path, original: PublicFile, edit: Callable[[Lines], Lines]) -> Path:
    """Write the copy, unless it is there already: a rewritten file would be loaded again."""
    edited = b"".join(edit(original.path.read_bytes().splitlines(keepends=True)))
    if not path.exists() or path.read_bytes() != edited:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(edited)
    return path


def _without_2019(lines: Lines) -> Lines:
    return [line for line in lines if not line.startswith(b"2019,")]


def _put_letters_into_numbers(lines: Lines) -> Lines:
    """Write the letter O for a zero in some lines, as text recognition does."""
    candidates = [number for number, line in enumerate(lines) if _ZERO.search(line)]
    chosen = set(_random().sample(candidates, _DAMAGED_LINES))
    return [_ZERO.sub(rb"\1O", line, count=1) if number in chosen else line for number, line in enumerate(lines)]


def _encode_as_latin_1(lines: Lines) -> Lines:
    return [line.decode().encode("latin-1") for line in lines]


def _open_quote(lines: Lines) -> Lines:
    """Open a quote in one line and never close it."""
    at = _random().randrange(len(lines) // 4, len(lines) // 2)
    return [*lines[:at], b'"' + lines[at], *lines[at + 1 :]]


def _random() -> Random:
    return Random(_SEED)  # noqa: S311  # guards nothing
