import json
from argparse import Namespace

from django.core.management.base import CommandParser

from seeder.management.base_command import SeederCommand
from seeder.management.rendering import queue_lines
from seeder.services.queue import queue_overview


class Command(SeederCommand):
    help = "Show queued, running and recently ended parts, and the next schedules."

    def add_arguments(self, parser: CommandParser) -> None:
        output_format = parser.add_mutually_exclusive_group()
        output_format.add_argument("--json", action="store_true", help="print one JSON document and nothing else")
        output_format.add_argument(
            "--table", action="store_true", help="print tables even if the output is not a terminal"
        )

    def run(self, options: Namespace) -> None:
        status = queue_overview.read_queue_overview()
        if options.json:
            self.stdout.write(json.dumps(queue_lines.queue_status_json(status), indent=2, ensure_ascii=False))
        elif options.table or self.stdout.isatty():
            from seeder.management.rendering.queue_tables import (
                print_queue_status,  # Rich is a tenth of a command's start
            )

            print_queue_status(self.stdout, status, color=not options.no_color)
        else:
            self.stdout.write("\n".join(queue_lines.queue_status_lines(status)))
