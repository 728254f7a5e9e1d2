"""Options, output and exit codes of the refresh commands."""

import os
from argparse import Namespace
from collections.abc import Sequence
from typing import Any

from django.core.management.base import CommandError, CommandParser

from seeder.domain.refresh_requests import RefreshRequest
from seeder.domain.run_events import RunEvent
from seeder.domain.view_patterns import ViewPatterns
from seeder.management.base_command import EXIT_CANNOT_RUN, EXIT_FAILED, SeederCommand, positive_integer
from seeder.management.rendering.queue_text import enqueue_blocks
from seeder.management.rendering.run_display import EventListener, show_run
from seeder.management.rendering.run_text import plan_blocks
from seeder.services import request_narrowing, unix_signals
from seeder.services.documents.queue_documents import enqueue_document
from seeder.services.documents.run_documents import plan_document
from seeder.services.queue import enqueue
from seeder.services.request_narrowing import Narrowing
from seeder.services.run import orchestrator
from seeder.services.run.listeners import stop_at_failure
from seeder.services.stop_signal import StopSignal
from seeder.services.translation import translated
from seeder.texts import Text


class RefreshCommand(SeederCommand):
    """Base class of commands that refresh or queue a request, or show its plan."""

    output_formats = ("json", "json-lines", "table")

    def add_arguments(self, parser: CommandParser) -> None:
        pattern: Any = {"action": "append", "default": [], "metavar": "PATTERN"}
        parser.add_argument(
            "--select",
            **pattern,
            help=Text("only views whose names match, such as 'demo_*'; can be given several times"),
        )
        parser.add_argument("--exclude", **pattern, help=Text("no views whose names match; can be given several times"))
        parser.add_argument(
            "--failed", action="store_true", help=Text("only views whose last refresh failed or was held")
        )
        parser.add_argument(
            "--stale",
            action="store_true",
            help=Text("only late views: by a contract, or without a recent success; with --failed, both"),
        )
        parser.add_argument(
            "--workers",
            type=positive_integer,
            metavar="N",
            help=Text("maximum number of workers (default: MAX_WORKERS)"),
        )
        parser.add_argument("--fail-fast", action="store_true", help=Text("stop the run at the first view that fails"))
        parser.add_argument(
            "-q", "--quiet", dest="verbosity", action="store_const", const=0, help=Text("print only what failed (-v 0)")
        )
        action = parser.add_mutually_exclusive_group()
        action.add_argument("--dry-run", action="store_true", help=Text("show the plan and change nothing"))
        action.add_argument(
            "--queue", action="store_true", help=Text("queue the request for a worker, and do not wait")
        )
        parser.add_argument(
            "--force", action="store_true", help=Text("refresh views even if their inputs are unchanged")
        )

    def build_requests(self, options: Namespace) -> Sequence[RefreshRequest]:
        """Return what is requested, before options narrow it."""
        raise NotImplementedError

    def run(self, options: Namespace) -> int | None:
        if options.queue and (options.workers or options.fail_fast):
            message = Text(
                "--workers and --fail-fast are for a run of this command. A queued request runs as its worker is set."
            )
            raise CommandError(message, returncode=EXIT_CANNOT_RUN)
        narrowing = Narrowing(
            patterns=ViewPatterns(select=tuple(options.select), exclude=tuple(options.exclude)),
            is_failed=options.failed,
            is_stale=options.stale,
        )
        request = request_narrowing.narrow(self.build_requests(options), narrowing)
        if options.queue:
            result = enqueue.enqueue_refresh(request, requested_by=self.name, force=options.force)
            self.output.show(enqueue_document(result), enqueue_blocks(result))
            return None
        if options.dry_run:
            plan = orchestrator.preview(request, max_workers=options.workers, force=options.force)
            self.output.show(plan_document(plan), plan_blocks(plan, request))
            return EXIT_FAILED if plan.rejected else None
        return self._refresh(request, options)

    def _refresh(self, request: RefreshRequest, options: Namespace) -> int | None:
        with show_run(self.output, request) as show_event, unix_signals.stop_on_signal() as stop:
            summary = orchestrator.execute_run(
                request,
                on_event=lambda event: self._on_event(event, show_event, stop if options.fail_fast else None),
                stop=stop,
                requested_by=self.name,
                force=options.force,
                max_workers=options.workers,
            )
        if unix_signals.is_signal(stop.reason):
            return unix_signals.exit_code_of_signal(stop.reason)
        return EXIT_FAILED if summary.failed or summary.interrupted else None

    def _on_event(self, event: RunEvent, show_event: EventListener, stop: StopSignal | None) -> None:
        """Show an event. The run continues if the output fails, such as for a full disk or a closed pipe."""
        if stop is not None:
            stop_at_failure(event, stop)
        try:
            show_event(event)
        except OSError as error:
            message = Text(
                "The output failed ({cause}). The run continues, and its rows have the results.", cause=error.strerror
            )
            self.stderr.write(translated(message))
            os.dup2(os.open(os.devnull, os.O_WRONLY), self.stdout.fileno())
