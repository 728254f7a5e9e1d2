from argparse import Namespace

from django.core.management.base import CommandParser
from django.db import DEFAULT_DB_ALIAS, connections

from seeder.management.base_command import SeederCommand
from seeder.services import contract_installation
from seeder.texts import Text


class Command(SeederCommand):
    help = Text("Create the schema `reporting` and its missing tables. Existing objects do not change.")

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--database",
            choices=[*connections],
            default=DEFAULT_DB_ALIAS,
            help=Text("database alias (default: default)"),
        )

    def run(self, options: Namespace) -> None:
        created = contract_installation.install(options.database)
        self.output.show_text(
            [
                Text("Created: {names}.", names=", ".join(created))
                if created
                else Text("All tables of the contract exist.")
            ]
        )
