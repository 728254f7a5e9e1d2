from argparse import Namespace

from seeder.management.base_command import SeederCommand
from seeder.services.run import open_breakers
from seeder.texts import Text


class Command(SeederCommand):
    help = Text("Close the circuit breakers of all databases, so that views start again. Refreshes nothing.")

    def run(self, _: Namespace) -> None:
        closed = open_breakers.reset_breakers()
        for text in closed:
            self.output.show_text([Text("Closed: {breaker}.", breaker=text)])
        if not closed:
            self.output.show_text([Text("No circuit breaker was open. Failures in a row count from zero again.")])
