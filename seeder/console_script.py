"""Options, settings and output of console scripts of several apps. Importing this module imports no Django."""

import argparse
import json
import os
import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NoReturn

from seeder.errors import SeederError
from seeder.services.documents.error_documents import command_error_document
from seeder.services.translation import translated
from seeder.texts import Text

EXIT_CANNOT_RUN = 2
BAD_ARGUMENTS, INTERRUPTED = "bad_arguments", "interrupted"  # codes of errors that are none of seeder's own


class OneLineErrorParser(argparse.ArgumentParser):
    """A parser whose errors are one line, or one JSON document, and exit code 2."""

    def error(self, message: str) -> NoReturn:
        """Exit with an error, without argparse's usage text."""
        text = f"{message}. See {self.prog} --help"
        print_error(self.prog, text, code=BAD_ARGUMENTS, arguments=sys.argv)
        self.exit(EXIT_CANNOT_RUN)


def print_error(
    program: str, error: object, *, code: str = "", arguments: Sequence[str], exit_code: int = EXIT_CANNOT_RUN
) -> int:
    """Print an error in one line, or as one document if the arguments have --json. Return the exit code."""
    if {"--json", "--json-lines"}.isdisjoint(arguments):
        sys.stderr.write(f"{program}: {translated(error)}\n")
        return exit_code
    is_line = "--json-lines" in arguments
    code = error.code if isinstance(error, SeederError) else code
    document = command_error_document(code, str(error), exit_code=exit_code)
    indent = None if is_line else 2
    print_lines(
        [json.dumps({"event": "error", **document} if is_line else document, indent=indent, ensure_ascii=False)]
    )
    return exit_code


def interrupted_text() -> Text:
    """Return what a command says that a signal ended before it began."""
    return Text("Interrupted. What was committed remains. Run the command again to continue.")


def split_at_separator(arguments: Sequence[str]) -> tuple[Sequence[str], Sequence[str]]:
    """Return the arguments before the first `--`, and those from it on.

    Cut here, because versions of argparse drop different `--`.
    """
    index = arguments.index("--") if "--" in arguments else len(arguments)
    return arguments[:index], arguments[index:]


def add_settings_option(parser: argparse.ArgumentParser, *, default: str) -> None:
    help_text = "Django settings (default: DJANGO_SETTINGS_MODULE, otherwise those of manage.py in this folder)"
    parser.add_argument("--settings", metavar="MODULE", default=default, help=help_text)


def take_settings(program: str, arguments: Sequence[str]) -> tuple[str, list[str]]:
    """Return the value of `--settings` among the arguments, and the other arguments."""
    parser = OneLineErrorParser(prog=program, add_help=False, allow_abbrev=False)
    add_settings_option(parser, default="")
    options, others = parser.parse_known_args(arguments)
    return str(options.settings), others


def manage_py_default() -> str:
    """Return the settings module that manage.py in the current folder sets by default."""
    try:
        text = Path("manage.py").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""
    found = re.search(r"""setdefault\(\s*["']DJANGO_SETTINGS_MODULE["'],\s*["']([\w.]+)["']""", text)
    return found[1] if found else ""


def find_modules_in_current_folder() -> None:
    """Let modules be imported from the current folder, as with manage.py."""
    current_folder = str(Path.cwd())
    if current_folder not in sys.path and "" not in sys.path:
        sys.path.insert(0, current_folder)


def print_lines(lines: Iterable[str]) -> None:
    """Print the lines, unless the reader, such as head, has closed the pipe."""
    try:
        sys.stdout.writelines(f"{line}\n" for line in lines)
        sys.stdout.flush()
    except BrokenPipeError:
        discard_output()


def discard_output() -> None:
    """Discard what is still printed. Python would report a closed pipe again at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
