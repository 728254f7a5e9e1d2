from argparse import Namespace

from django.core.management.base import CommandParser

from seeder.management.base_command import SeederCommand
from seeder.management.rendering.queue_text import cancel_blocks, cancelled_run_text
from seeder.models import Run
from seeder.services.documents.queue_documents import request_document
from seeder.services.documents.run_documents import cancelled_run_document
from seeder.services.queue import cancellation
from seeder.texts import Text


class Command(SeederCommand):
    help = Text("Cancel a request, or a run of any terminal. Finished views stay refreshed.")
    examples = ("20261130-020000-ab12cd34",)
    output_formats = ("json",)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "request", metavar="REQUEST", help=Text("id of the request, as --queue prints it, or of a run")
        )

    def run(self, options: Namespace) -> None:
        cancelled = cancellation.cancel(options.request, requested_by=self.name)
        if isinstance(cancelled, Run):
            self.output.show(cancelled_run_document(cancelled), [cancelled_run_text(cancelled)])
        else:
            self.output.show(request_document(cancelled, None, can_see_errors=True), cancel_blocks(cancelled))
