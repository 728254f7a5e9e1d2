"""Options, output and exit codes of the refresh commands."""

import os
from argparse import Namespace

from django.core.management.base import CommandParser

from seeder.domain.refresh_requests import RefreshRequest
from seeder.domain.run_events import RunEvent
from seeder.management.base_command import EXIT_FAILED, SeederCommand
from seeder.management.rendering.queue_text import enqueue_blocks
from seeder.management.rendering.run_display import EventListener, show_run
from seeder.management.rendering.run_text import plan_blocks
from seeder.services import unix_signals
from seeder.services.documents.queue_documents import enqueue_document
from seeder.services.documents.run_documents import plan_document
from seeder.services.queue import enqueue
from seeder.services.run import orchestrator


class RefreshCommand(SeederCommand):
    """Base class of commands that refresh or queue a request, or show its plan."""

    output_formats = ("json", "json-lines", "table")

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "-q", "--quiet", dest="verbosity", action="store_const", const=0, help="print only what failed (-v 0)"
        )
        action = parser.add_mutually_exclusive_group()
        action.add_argument("--dry-run", action="store_true", help="show the plan and change nothing")
        action.add_argument("--queue", action="store_true", help="queue the request for a worker, and do not wait")
        action.add_argument("--force", action="store_true", help="refresh views even if their inputs are unchanged")

    def build_request(self, options: Namespace) -> RefreshRequest:
        raise NotImplementedError

    def run(self, options: Namespace) -> int | None:
        request = self.build_request(options)
        if options.queue:
            result = enqueue.enqueue_refresh(request, requested_by=self.name)
            self.output.show(enqueue_document(result), enqueue_blocks(result))
            return None
        if options.dry_run:
            plan = orchestrator.preview(request)
            self.output.show(plan_document(plan), plan_blocks(plan, request))
            return EXIT_FAILED if plan.rejected else None
        with show_run(self.output, request) as on_event, unix_signals.stop_on_signal() as stop:
            summary = orchestrator.execute_run(
                request,
                on_event=lambda event: self._show_event(on_event, event),
                stop=stop,
                requested_by=self.name,
                force=options.force,
            )
        if stop.requested:
            return unix_signals.exit_code_of_signal(stop.reason)
        return EXIT_FAILED if summary.failed else None

    def _show_event(self, on_event: EventListener, event: RunEvent) -> None:
        """Show an event. The run continues if the output fails, such as for a full disk or a closed pipe."""
        try:
            on_event(event)
        except OSError as error:
            self.stderr.write(
                f"The output failed ({error.strerror}). The run continues, and its rows have the results."
            )
            os.dup2(os.open(os.devnull, os.O_WRONLY), self.stdout.fileno())
