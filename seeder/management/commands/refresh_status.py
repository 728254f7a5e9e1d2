import json
import sys
from argparse import ArgumentTypeError, Namespace

from django.core.management.base import CommandParser

from seeder.domain.manifests import ReportType
from seeder.domain.monitoring.report_jobs import JobFilter, JobPageRequest
from seeder.domain.outcomes import Status
from seeder.management.base_command import EXIT_FAILED, SeederCommand
from seeder.management.rendering.status_lines import status_json, status_lines
from seeder.services.read_models import job_list

_DEFAULT_TABLE_LIMIT = 50  # views in a table; JSON and lines list all of them


class Command(SeederCommand):
    help = "List fresh, failing, running and late views, most urgent first. Refreshes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--agency", metavar="SLUG", help="only the views of one agency")
        parser.add_argument("--report-type", choices=[*map(str, ReportType)], help="only views of this report type")
        parser.add_argument("--status", choices=[*map(str, Status)], help="only views with this status")
        parser.add_argument("--failing", action="store_true", default=None, help="only views whose last refresh failed")
        parser.add_argument(
            "--long-running", action="store_true", default=None, help="only views that run for longer than they should"
        )
        parser.add_argument(
            "--stale", action="store_true", default=None, help="only views whose last success is too long ago"
        )
        parser.add_argument("--search", metavar="TEXT", help="only views with this in the name, or in the report's")
        parser.add_argument(
            "--limit",
            type=_positive_integer,
            metavar="N",
            help=f"maximum number of views (default: {_DEFAULT_TABLE_LIMIT} in a table, otherwise all)",
        )
        parser.add_argument(
            "--fail-on",
            choices=["failing", "stale"],
            action="append",
            default=[],
            help="exit with 1 if a selected view is failing or stale; can be given twice",
        )
        output_format = parser.add_mutually_exclusive_group()
        output_format.add_argument("--json", action="store_true", help="print one JSON document and nothing else")
        output_format.add_argument(
            "--table", action="store_true", help="print a table even if the output is not a terminal"
        )

    def run(self, options: Namespace) -> None:
        is_table = options.table or (self.stdout.isatty() and not options.json)
        limit = options.limit or (_DEFAULT_TABLE_LIMIT if is_table else None)
        overview = job_list.job_overview(_job_filter(options), JobPageRequest(limit=limit))
        if options.json:
            self.stdout.write(json.dumps(status_json(overview), indent=2, ensure_ascii=False))
        elif is_table:
            # Rich is a tenth of a command's start, and a program that looks every minute draws nothing.
            from seeder.management.rendering.status_table import print_status

            print_status(self.stdout, overview, color=not options.no_color)
        else:
            for line in status_lines(overview):
                self.stdout.write(line)
        if any(getattr(overview.totals, what) for what in options.fail_on):
            sys.exit(EXIT_FAILED)


def _positive_integer(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ArgumentTypeError(f"at least 1, not {number}")
    return number


def _job_filter(options: Namespace) -> JobFilter:
    return JobFilter(
        agency=options.agency,
        report_type=options.report_type and ReportType(options.report_type),
        status=options.status and Status(options.status),
        failing=options.failing,
        long_running=options.long_running,
        stale=options.stale,
        search=options.search,
    )
