from argparse import Namespace

from django.core.management.base import CommandParser
from django.db import DEFAULT_DB_ALIAS, connections

from seeder.management.base_command import SeederCommand
from seeder.services import contract_installation


class Command(SeederCommand):
    help = "Create the schema `reporting` and its missing tables. Existing objects do not change."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--database", choices=[*connections], default=DEFAULT_DB_ALIAS, help="database alias (default: default)"
        )

    def run(self, options: Namespace) -> None:
        created = contract_installation.install(options.database)
        self.stdout.write(f"Created: {', '.join(created)}." if created else "All tables of the contract exist.")
