from argparse import Namespace

from django.core.management.base import CommandParser

from seeder.management.base_command import SeederCommand
from seeder.management.rendering.queue_text import cancel_blocks
from seeder.services.documents.queue_documents import request_document
from seeder.services.queue import cancellation


class Command(SeederCommand):
    help = "Cancel a queued or running request. Finished views stay refreshed."
    examples = ("20261130-020000-ab12cd34",)
    output_formats = ("json",)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("request", metavar="REQUEST", help="id of the request, as --queue prints it, or of its run")

    def run(self, options: Namespace) -> None:
        parts = cancellation.cancel_request(options.request, requested_by=self.name)
        self.output.show(request_document(parts, None, can_see_errors=True), cancel_blocks(parts))
