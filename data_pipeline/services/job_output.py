"""Arguments and output of jobs that need no Django: as those of commands, on the standard output of the process."""

import argparse
import io
import os
import sys

from seeder.console_script import OneLineErrorParser
from seeder.management.rendering.command_output import CommandOutput


class _StandardOutput:
    """The standard output, which adds a line end to each text."""

    ending = "\n"

    def write(self, msg: str, /) -> None:
        sys.stdout.write(msg if msg.endswith(self.ending) else msg + self.ending)

    def flush(self) -> None:
        sys.stdout.flush()

    def isatty(self) -> bool:
        return sys.stdout.isatty()

    def fileno(self) -> int:
        return sys.stdout.fileno()


def job_parser(job: str, description: str) -> argparse.ArgumentParser:
    """Return a parser whose errors are one line and exit code 2."""
    return OneLineErrorParser(prog=f"data-pipeline run {job}", description=description)


def job_output(*, as_json: bool) -> CommandOutput:
    """Return the output of a job: tables on a terminal, plain lines elsewhere, or one JSON document."""
    if isinstance(sys.stdout, io.TextIOWrapper):  # names can have characters that the encoding lacks
        sys.stdout.reconfigure(errors="backslashreplace")
    return CommandOutput(_StandardOutput(), argparse.Namespace(json=as_json, no_color="NO_COLOR" in os.environ))
