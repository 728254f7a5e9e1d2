from argparse import Namespace

from django.core.management.base import CommandParser

from seeder.management.base_command import SeederCommand
from seeder.management.rendering.command_output import CommandOutput, add_output_arguments
from seeder.management.rendering.queue_text import queue_blocks
from seeder.services.documents.queue_documents import queue_document
from seeder.services.queue import queue_overview


class Command(SeederCommand):
    help = "Show queued, running and recently ended parts, and the next schedules."

    def add_arguments(self, parser: CommandParser) -> None:
        add_output_arguments(parser)

    def run(self, options: Namespace) -> None:
        overview = queue_overview.read_queue_overview()
        CommandOutput(self.stdout, options).show(queue_document(overview), queue_blocks(overview))
