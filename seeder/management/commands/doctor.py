from argparse import Namespace

from django.core.management.base import CommandParser

from seeder.management.base_command import EXIT_FAILED, SeederCommand
from seeder.management.rendering.doctor_text import doctor_blocks
from seeder.services import unix_signals
from seeder.services.doctor.check_types import Level
from seeder.services.doctor.run_checks import run_checks
from seeder.services.documents.doctor_documents import doctor_document
from seeder.texts import Text


class Command(SeederCommand):
    ignored_variables = staticmethod(tuple)
    help = Text("Find problems that prevent refreshes, and print a fix for each. Changes nothing.")
    output_formats = ("json",)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--without-drift",
            action="store_true",
            help=Text("do not compare queries with their views, which takes a millisecond or two each"),
        )
        parser.add_argument(
            "--fail-level",
            type=str.upper,
            choices=[level.name for level in Level],
            default=Level.ERROR.name,
            help=Text("exit with 1 if a problem is at or above this level (default: ERROR)"),
        )
        parser.add_argument(
            "--all", action="store_true", help=Text("list every view, even if many have the same problem")
        )

    def run(self, options: Namespace) -> int | None:
        with unix_signals.interrupt_on_signal(), self.output.show_progress(Text("queries compared")) as advance:
            report = run_checks(compare_queries=not options.without_drift, on_progress=advance)
        self.output.show(doctor_document(report), doctor_blocks(report, show_all=options.all))
        is_failed = any(diagnosis.problem.level >= Level[options.fail_level] for diagnosis in report.diagnoses)
        return EXIT_FAILED if is_failed else None
