"""Base class of commands: expected errors are one line and exit code 2."""

import argparse
import os
from typing import Any, NoReturn

from django.core.management.base import BaseCommand, CommandError, CommandParser

from seeder.errors import SeederError
from seeder.services import unix_signals

EXIT_FAILED, EXIT_CANNOT_RUN = 1, 2


class SeederCommand(BaseCommand):
    """A command that calls one service in `run`."""

    # The service validates the settings that it needs, and names an invalid one in one line.
    requires_system_checks = ()
    # `reporting-seeder run` runs commands with this attribute, also those of other apps.
    is_job = True

    @property
    def name(self) -> str:
        """The name on the command line."""
        return type(self).__module__.rpartition(".")[2]

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        if parser.called_from_command_line:

            def error(message: str) -> NoReturn:
                """Print one line. Argparse would print the usage first."""
                parser.exit(EXIT_CANNOT_RUN, f"{parser.prog}: {message}. See {parser.prog} --help\n")

            parser.error = error  # type: ignore[method-assign]  # argparse has no option for it
        return parser

    def handle(self, *_: Any, **options: Any) -> None:
        if hasattr(self.stdout, "reconfigure"):  # names can have characters that the encoding lacks
            self.stdout.reconfigure(errors="backslashreplace")
        try:
            self.run(argparse.Namespace(**options))
        except SeederError as error:
            raise CommandError(str(error), returncode=EXIT_CANNOT_RUN) from error
        except BrokenPipeError:  # avoids a second error when Python flushes at exit
            os.dup2(os.open(os.devnull, os.O_WRONLY), self.stdout.fileno())
        except KeyboardInterrupt as interrupt:
            code = unix_signals.exit_code_of_signal(str(interrupt) or None)
            raise CommandError("Interrupted.", returncode=code) from interrupt

    def run(self, options: argparse.Namespace) -> None:
        raise NotImplementedError
