"""What the three refresh commands share: their options, what they show and how they exit."""

import json
import os
import sys
from argparse import Namespace

from django.core.management.base import CommandParser

from seeder.domain.refresh_requests import RefreshRequest
from seeder.domain.run_events import RunEvent
from seeder.management import signals
from seeder.management.door import FAILED, Door
from seeder.management.rendering import Display, display, queue
from seeder.services import runs
from seeder.services.queue import queueing
from seeder.services.stopping import Stop


class RefreshCommand(Door):
    """Refresh what `request` asks for, queue it, or show the plan for it."""

    def add_arguments(self, parser: CommandParser) -> None:
        instead = parser.add_mutually_exclusive_group()
        instead.add_argument("--dry-run", action="store_true", help="show the plan and change nothing")
        instead.add_argument("--queue", action="store_true", help="let the queue's workers do it, and do not wait")
        form = parser.add_mutually_exclusive_group()
        form.add_argument("--json", action="store_true", help="print one JSON document and nothing else")
        form.add_argument("--table", action="store_true", help="print tables even where there is no terminal")

    def request(self, options: Namespace) -> RefreshRequest:
        raise NotImplementedError

    def enter(self, options: Namespace) -> None:
        request, stop = self.request(options), Stop()
        if options.queue:
            queued = queueing.ask(request, requested_by=self.name)
            document = json.dumps(queue.asked_document(queued), indent=2, ensure_ascii=False)
            self.stdout.write(document if options.json else "\n".join(queue.asked(queued)))
            return
        form = {"json": options.json, "table": options.table, "color": not options.no_color}
        with display(self.stdout, request, **form) as shown:
            if options.dry_run:
                plan = runs.preview(request)
                shown.plan(plan)
                failed = len(plan.rejected)
            else:
                with signals.as_a_request(stop):
                    summary = runs.execute(
                        request, emit=lambda event: self._show(shown, event), stop=stop, requested_by=self.name
                    )
                failed = summary.failed
        if stop.requested:
            sys.exit(signals.exit_code(stop.reason))
        if failed:
            sys.exit(FAILED)

    def _show(self, shown: Display, event: RunEvent) -> None:
        """Show what happens, but not at any price: a full disk under the log, or a reader that has gone away, is no
        reason to leave views unrefreshed."""
        try:
            shown.hear(event)
        except OSError as error:
            self.stderr.write(f"Nothing more can be shown ({error.strerror}); the run goes on, its rows say how.")
            os.dup2(os.open(os.devnull, os.O_WRONLY), self.stdout.fileno())
