"""What the three refresh commands share: their options, what they show and how they exit."""

import json
import os
import sys
from argparse import Namespace

from django.core.management.base import CommandParser

from seeder.domain.refresh_requests import RefreshRequest
from seeder.domain.run_events import RunEvent
from seeder.management import unix_signals
from seeder.management.base_command import EXIT_FAILED, SeederCommand
from seeder.management.rendering import RunDisplay, create_run_display, queue_lines
from seeder.services.queue import enqueue
from seeder.services.run import orchestrator
from seeder.services.stop_signal import StopSignal


class RefreshCommand(SeederCommand):
    """Refresh what `request` asks for, queue it, or show the plan for it."""

    def add_arguments(self, parser: CommandParser) -> None:
        instead_of_refreshing = parser.add_mutually_exclusive_group()
        instead_of_refreshing.add_argument("--dry-run", action="store_true", help="show the plan and change nothing")
        instead_of_refreshing.add_argument(
            "--queue", action="store_true", help="queue the request for a worker, and do not wait"
        )
        output_format = parser.add_mutually_exclusive_group()
        output_format.add_argument("--json", action="store_true", help="print one JSON document and nothing else")
        output_format.add_argument(
            "--table", action="store_true", help="print tables even if the output is not a terminal"
        )

    def build_request(self, options: Namespace) -> RefreshRequest:
        raise NotImplementedError

    def run(self, options: Namespace) -> None:
        request, stop = self.build_request(options), StopSignal()
        if options.queue:
            enqueue_result = enqueue.enqueue_refresh(request, requested_by=self.name)
            document = json.dumps(queue_lines.enqueue_result_json(enqueue_result), indent=2, ensure_ascii=False)
            self.stdout.write(document if options.json else "\n".join(queue_lines.enqueue_result_lines(enqueue_result)))
            return
        output_format = {"json": options.json, "table": options.table, "color": not options.no_color}
        with create_run_display(self.stdout, request, **output_format) as run_display:
            if options.dry_run:
                plan = orchestrator.preview(request)
                run_display.show_plan(plan)
                failed = len(plan.rejected)
            else:
                with unix_signals.stop_on_signal(stop):
                    summary = orchestrator.execute_run(
                        request,
                        on_event=lambda event: self._show_event(run_display, event),
                        stop=stop,
                        requested_by=self.name,
                    )
                failed = summary.failed
        if stop.requested:
            sys.exit(unix_signals.exit_code_of_signal(stop.reason))
        if failed:
            sys.exit(EXIT_FAILED)

    def _show_event(self, run_display: RunDisplay, event: RunEvent) -> None:
        """Show what happens, but not at any price: a full disk under the log, or a reader that has gone away, is no
        reason to leave views unrefreshed."""
        try:
            run_display.on_event(event)
        except OSError as error:
            self.stderr.write(f"Nothing more can be shown ({error.strerror}); the run goes on, its rows say how.")
            os.dup2(os.open(os.devnull, os.O_WRONLY), self.stdout.fileno())
