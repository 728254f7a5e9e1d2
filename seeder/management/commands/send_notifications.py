from argparse import Namespace

from django.core.management.base import CommandParser

from seeder.domain.human_format import format_count
from seeder.management.base_command import EXIT_FAILED, SeederCommand
from seeder.services.documents.document_fields import fields
from seeder.services.notifications import sending
from seeder.texts import Text


class Command(SeederCommand):
    help = Text("Send the notifications that are due. A queue with schedules does this every minute.")
    output_formats = ("json",)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--retry",
            metavar="CHANNEL",
            help=Text("first make everything due that this channel did not get, also after 410"),
        )

    def run(self, options: Namespace) -> int | None:
        retried = None if options.retry is None else sending.retry_channel(options.retry)
        result = sending.send_notifications()
        document = {"retried": retried, **fields(result, "sent", "failed", "given_up")}
        summary = Text(
            "{notifications} sent, {failed} failed for now, {given_up} given up.",
            notifications=format_count(result.sent, "notification"),
            failed=result.failed,
            given_up=result.given_up,
        )
        self.output.show(document, [summary])
        return EXIT_FAILED if result.failed or result.given_up else None
