from argparse import Namespace

from seeder.management.rendering.queue_text import queue_blocks
from seeder.management.watchable_command import WatchableCommand
from seeder.services.documents.queue_documents import queue_document
from seeder.services.queue import queue_overview
from seeder.texts import Text


class Command(WatchableCommand):
    help = Text("Show queued, running and recently ended parts, and the next schedules.")
    examples = (
        "",
        "--watch 5",
    )
    exit_codes = Text("0 success, 2 the queue cannot be read")

    def show_state(self, _: Namespace) -> None:
        overview = queue_overview.read_queue_overview()
        self.output.show(queue_document(overview), queue_blocks(overview))
