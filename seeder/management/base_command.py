"""What every command of this app has in common: foreseeable errors are one line and exit code 2."""

import argparse
import os
from typing import Any, NoReturn

from django.core.management.base import BaseCommand, CommandError, CommandParser

from seeder.errors import SeederError
from seeder.management import unix_signals

EXIT_FAILED, EXIT_CANNOT_RUN = 1, 2


class SeederCommand(BaseCommand):
    """A command that calls one service; subclasses say what in `enter`."""

    # The settings are read and judged by the service itself, in one line that names the setting.
    requires_system_checks = ()
    # It may be run by `reporting-seeder run`, as may a command of any other app whose class says so.
    is_job = True

    @property
    def name(self) -> str:
        """As it is called."""
        return type(self).__module__.rpartition(".")[2]

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        if parser.called_from_command_line:

            def error(message: str) -> NoReturn:
                """One line; argparse would print the whole usage before it."""
                parser.exit(EXIT_CANNOT_RUN, f"{parser.prog}: {message}. See {parser.prog} --help\n")

            parser.error = error  # type: ignore[method-assign]  # argparse offers no other way in
        return parser

    def handle(self, *_: Any, **options: Any) -> None:
        if hasattr(self.stdout, "reconfigure"):  # a name may hold what the terminal's encoding does not
            self.stdout.reconfigure(errors="backslashreplace")
        try:
            self.run(argparse.Namespace(**options))
        except SeederError as error:
            raise CommandError(str(error), returncode=EXIT_CANNOT_RUN) from error
        except BrokenPipeError:  # the reader has closed the pipe; Python would report it again when it flushes
            os.dup2(os.open(os.devnull, os.O_WRONLY), self.stdout.fileno())
        except KeyboardInterrupt as interrupt:
            code = unix_signals.exit_code_of_signal(str(interrupt) or None)
            raise CommandError("Interrupted.", returncode=code) from interrupt

    def run(self, options: argparse.Namespace) -> None:
        raise NotImplementedError
