from argparse import Namespace

from seeder.management.base_command import SeederCommand
from seeder.management.rendering.queue_text import queue_blocks
from seeder.services.documents.queue_documents import queue_document
from seeder.services.queue import queue_overview


class Command(SeederCommand):
    help = "Show queued, running and recently ended parts, and the next schedules."
    output_formats = ("json", "table")

    def run(self, _: Namespace) -> None:
        overview = queue_overview.read_queue_overview()
        self.output.show(queue_document(overview), queue_blocks(overview))
