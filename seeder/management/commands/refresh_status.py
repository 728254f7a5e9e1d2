from argparse import Namespace
from typing import Any

from django.core.management.base import CommandParser

from seeder.domain.manifests import ReportType
from seeder.domain.monitoring.report_jobs import JobFilter, JobPageRequest
from seeder.domain.outcomes import Status
from seeder.management.base_command import EXIT_FAILED, positive_integer
from seeder.management.rendering.status_text import status_blocks
from seeder.management.watchable_command import WatchableCommand
from seeder.services.documents.status_documents import status_document
from seeder.services.read_models import job_list
from seeder.services.run import open_breakers
from seeder.texts import Text

_DEFAULT_TABLE_LIMIT = 50


class Command(WatchableCommand):
    help = Text("List fresh, failing, running and late views, most urgent first. Refreshes nothing.")
    examples = (
        "--failing",
        "--agency demo --json",
        "--watch",
        "--fail-on failing --fail-on stale",
    )
    exit_codes = Text("0 success, 1 a view is in a state of --fail-on, 2 invalid request")

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--agency", metavar="SLUG", help=Text("only the views of one agency"))
        parser.add_argument(
            "--report-type", choices=[*map(str, ReportType)], help=Text("only views of this report type")
        )
        parser.add_argument("--status", choices=[*map(str, Status)], help=Text("only views with this status"))
        flag: Any = {"action": "store_true", "default": None}  # None: the filter is not set
        parser.add_argument("--failing", **flag, help=Text("only views whose last refresh failed"))
        parser.add_argument("--long-running", **flag, help=Text("only views that have been running too long"))
        parser.add_argument("--stale", **flag, help=Text("only late views: by a contract, or without a recent success"))
        parser.add_argument(
            "--search", metavar="TEXT", help=Text("only views with this text in their name or their report's name")
        )
        parser.add_argument(
            "--limit",
            type=positive_integer,
            metavar="N",
            help=Text(
                "maximum number of views (default: {number} in a table, otherwise all)", number=_DEFAULT_TABLE_LIMIT
            ),
        )
        parser.add_argument(
            "--fail-on",
            choices=["failing", "stale"],
            action="append",
            default=[],
            help=Text("exit with 1 if a selected view is failing or stale; can be given twice"),
        )

    def show_state(self, options: Namespace) -> int | None:
        limit = options.limit or (_DEFAULT_TABLE_LIMIT if self.output.is_table else None)
        job_filter = JobFilter(
            agencies=options.agency and [options.agency],
            report_types=options.report_type and [ReportType(options.report_type)],
            statuses=options.status and [Status(options.status)],
            failing=options.failing,
            long_running=options.long_running,
            stale=options.stale,
            search=options.search,
        )
        overview = job_list.job_overview(job_filter, JobPageRequest(limit=limit))
        breakers = open_breakers.open_breakers()
        self.output.show(status_document(overview, breakers), status_blocks(overview, breakers))
        return EXIT_FAILED if any(getattr(overview.totals, state) for state in options.fail_on) else None
