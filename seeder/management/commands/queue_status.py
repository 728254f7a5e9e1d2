import json
from argparse import Namespace

from django.core.management.base import CommandParser

from seeder.management.door import Door
from seeder.management.rendering import queue
from seeder.services.queue import queue_state


class Command(Door):
    help = "Show what is queued, who works on what, what has ended lately, and what is due next."

    def add_arguments(self, parser: CommandParser) -> None:
        form = parser.add_mutually_exclusive_group()
        form.add_argument("--json", action="store_true", help="print one JSON document and nothing else")
        form.add_argument("--table", action="store_true", help="print tables even where there is no terminal")

    def enter(self, options: Namespace) -> None:
        state = queue_state.look()
        if options.json:
            self.stdout.write(json.dumps(queue.state_document(state), indent=2, ensure_ascii=False))
        elif options.table or self.stdout.isatty():
            from seeder.management.rendering.queue_tables import show  # Rich is a tenth of a command's start

            show(self.stdout, state, color=not options.no_color)
        else:
            self.stdout.write("\n".join(queue.state(state)))
