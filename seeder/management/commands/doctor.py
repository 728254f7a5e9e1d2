import json
import sys
from argparse import Namespace

from django.core.management.base import CommandParser

from seeder.domain.doctor.diagnosis import Level
from seeder.management import unix_signals
from seeder.management.base_command import EXIT_FAILED, SeederCommand
from seeder.management.rendering.command_output import CommandOutput
from seeder.management.rendering.doctor_lines import doctor_report_json, doctor_report_lines
from seeder.services.doctor import run_checks


class Command(SeederCommand):
    help = "Find problems that prevent refreshes, and print a fix for each. Changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--without-drift",
            action="store_true",
            help="do not compare queries with their views, which takes a millisecond or two each",
        )
        parser.add_argument(
            "--fail-level",
            type=str.upper,
            choices=[level.name for level in Level],
            default=Level.ERROR.name,
            help="exit with 1 if a problem is at or above this level (default: ERROR)",
        )
        parser.add_argument("--all", action="store_true", help="list every view, even if many have the same problem")
        parser.add_argument("--json", action="store_true", help="print one JSON document and nothing else")

    def run(self, options: Namespace) -> None:
        output = CommandOutput(self.stdout, options)
        with unix_signals.interrupt_on_signal(), output.show_progress("queries compared") as advance:
            report = run_checks.run_checks(compare=not options.without_drift, on_progress=advance)
        if options.json:
            self.stdout.write(json.dumps(doctor_report_json(report), indent=2, ensure_ascii=False))
        elif self.stdout.isatty():
            # Rich is a tenth of a command's start, and a program that looks every night draws nothing.
            from seeder.management.rendering.doctor_terminal import print_doctor_report

            print_doctor_report(self.stdout, report, show_all=options.all, color=not options.no_color)
        else:
            for line in doctor_report_lines(report, show_all=options.all):
                self.stdout.write(line.plain_text)
        if report.has_level_at_least(Level[options.fail_level]):
            sys.exit(EXIT_FAILED)
