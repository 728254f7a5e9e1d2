"""Commands on a pseudo-terminal, in the process of the test."""

import os
import pty
import re
from contextlib import suppress
from threading import Thread

from tests.conftest import run_manage_command

_TERMINAL = {"TERM": "xterm-256color", "COLUMNS": "100", "LINES": "30"}


def run_on_terminal(*arguments: str, **environment: str) -> tuple[int, str]:
    """Run `manage.py` and return its exit code and everything that it drew."""
    leader, follower = pty.openpty()
    drawn = bytearray()

    def read() -> None:
        with suppress(OSError):  # Linux reports EIO once the other end is closed
            while data := os.read(leader, 65536):
                drawn.extend(data)

    reader = Thread(target=read)
    reader.start()
    with os.fdopen(follower, "w", encoding=environment.get("PYTHONIOENCODING", "utf-8")) as terminal:
        code = run_manage_command(*arguments, out=terminal, err=terminal, **(_TERMINAL | environment))
    reader.join()
    os.close(leader)
    return code, drawn.decode()


def plain_text(drawn: str) -> str:
    """Remove colours and cursor movements."""
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", drawn)


def screen_lines(drawn: str) -> list[str]:
    """Return the lines that remain on the screen, without colours. Rich only moves up and erases entire lines."""
    lines, row = [""], 0
    for text in re.split(r"(\x1b\[[0-9;?]*[a-zA-Z]|\r|\n)", drawn):
        if text == "\n":
            row += 1
            lines += [""] * (row == len(lines))
        elif text.endswith("A") and text.startswith("\x1b"):
            row -= int(text[2:-1])
        elif text == "\x1b[2K":
            lines[row] = ""
        elif text != "\r" and not text.startswith("\x1b"):
            lines[row] += text
    return [line.rstrip() for line in lines[:row]]
