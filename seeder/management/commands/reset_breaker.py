from argparse import Namespace

from seeder.management.base_command import SeederCommand
from seeder.services.run import open_breakers


class Command(SeederCommand):
    help = "Close the circuit breakers of all databases, so that views start again. Refreshes nothing."

    def run(self, _: Namespace) -> None:
        closed = open_breakers.reset_breakers()
        for text in closed:
            self.stdout.write(f"Closed: {text}.")
        if not closed:
            self.stdout.write("No circuit breaker was open. Failures in a row count from zero again.")
