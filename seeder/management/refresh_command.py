"""Options, output and exit codes of the refresh commands."""

import os
import sys
from argparse import Namespace

from django.core.management.base import CommandParser

from seeder.domain.refresh_requests import RefreshRequest
from seeder.domain.run_events import RunEvent
from seeder.management.base_command import EXIT_FAILED, SeederCommand
from seeder.management.rendering.command_output import CommandOutput, add_output_arguments
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

    def add_arguments(self, parser: CommandParser) -> None:
        action = parser.add_mutually_exclusive_group()
        action.add_argument("--dry-run", action="store_true", help="show the plan and change nothing")
        action.add_argument("--queue", action="store_true", help="queue the request for a worker, and do not wait")
        add_output_arguments(parser)

    def build_request(self, options: Namespace) -> RefreshRequest:
        raise NotImplementedError

    def run(self, options: Namespace) -> None:
        request, output = self.build_request(options), CommandOutput(self.stdout, options)
        if options.queue:
            result = enqueue.enqueue_refresh(request, requested_by=self.name)
            output.show(enqueue_document(result), enqueue_blocks(result))
        elif options.dry_run:
            plan = orchestrator.preview(request)
            output.show(plan_document(plan), plan_blocks(plan, request))
            if plan.rejected:
                sys.exit(EXIT_FAILED)
        else:
            self._refresh(request, output)

    def _refresh(self, request: RefreshRequest, output: CommandOutput) -> None:
        with show_run(output, request) as on_event, unix_signals.stop_on_signal() as stop:
            summary = orchestrator.execute_run(
                request,
                on_event=lambda event: self._show_event(on_event, event),
                stop=stop,
                requested_by=self.name,
            )
        if stop.requested:
            sys.exit(unix_signals.exit_code_of_signal(stop.reason))
        if summary.failed:
            sys.exit(EXIT_FAILED)

    def _show_event(self, on_event: EventListener, event: RunEvent) -> None:
        """Show an event. The run continues if the output fails, such as for a full disk or a closed pipe."""
        try:
            on_event(event)
        except OSError as error:
            self.stderr.write(
                f"The output failed ({error.strerror}). The run continues, and its rows have the results."
            )
            os.dup2(os.open(os.devnull, os.O_WRONLY), self.stdout.fileno())
