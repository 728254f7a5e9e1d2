from argparse import Namespace

from django.core.management.base import CommandParser
from django.db import DEFAULT_DB_ALIAS, connections

from seeder.management.base_command import SeederCommand
from seeder.services import contract_check


class Command(SeederCommand):
    help = "Create what is missing of the schema `reporting` and its tables; what exists is left as it is."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--database", choices=[*connections], default=DEFAULT_DB_ALIAS, help="where; usually the default"
        )

    def run(self, options: Namespace) -> None:
        created = contract_check.install(options.database)
        self.stdout.write(
            f"Created: {', '.join(created)}." if created else "All tables of the contract were there already."
        )
