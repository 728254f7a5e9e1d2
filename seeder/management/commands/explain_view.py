from argparse import Namespace

from django.core.management.base import CommandParser

from seeder.management.base_command import SeederCommand
from seeder.management.rendering.explanation_text import explanation_blocks
from seeder.services.documents.explanation_documents import explanation_document
from seeder.services.read_models.view_explanation import explain_view
from seeder.texts import Text


class Command(SeederCommand):
    help = Text(
        "Explain why a view ran, waited, failed, was held or was refreshed in its mode, what it depends on, and what a"
        " refresh now would do. Changes nothing."
    )
    examples = ("reporting.stg_arrests",)
    output_formats = ("json", "table")

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("table_name", metavar="SCHEMA.TABLE", help=Text("the view, by its SQL name"))
        parser.add_argument(
            "--database",
            metavar="ALIAS",
            help=Text("database of the view (default: the first one that has a view of this name)"),
        )

    def run(self, options: Namespace) -> None:
        explanation = explain_view(options.table_name, database=options.database)
        self.output.show(explanation_document(explanation), explanation_blocks(explanation))
