"""Base class of commands that show a state once, or again and again."""

from argparse import Namespace
from datetime import timedelta

from django.core.management.base import CommandParser
from django.db import DEFAULT_DB_ALIAS

from seeder.errors import DatabaseError
from seeder.management.base_command import SeederCommand, positive_integer
from seeder.postgres import sessions
from seeder.services import unix_signals
from seeder.texts import Text

_DEFAULT_SECONDS = 2


class WatchableCommand(SeederCommand):
    """A command that shows a state in `show_state`. With `--watch` it does so until a signal."""

    output_formats = ("json", "table")

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--watch",
            nargs="?",
            type=positive_integer,
            const=_DEFAULT_SECONDS,
            metavar="SECONDS",
            help=Text("show it again at this interval (default: {seconds}), until Ctrl-C", seconds=_DEFAULT_SECONDS),
        )

    def run(self, options: Namespace) -> int | None:
        if options.watch is None:
            return self.show_state(options)
        self.output.redraws = True
        with unix_signals.stop_on_signal() as stop:
            while not stop.requested:
                try:
                    self.show_state(options)
                except DatabaseError as error:  # the server may be back the next time
                    sessions.discard_if_broken(DEFAULT_DB_ALIAS)
                    self.output.show_text([(str(error), "bold red")])
                stop.wait(timedelta(seconds=options.watch))
        return None

    def show_state(self, options: Namespace) -> int | None:
        """Show the state. Return the exit code, or None for 0."""
        raise NotImplementedError
