from argparse import Namespace

from django.core.management.base import CommandError, CommandParser

from data_pipeline import conf
from data_pipeline.errors import TooManyRejects
from data_pipeline.management.rendering.load_progress import progress_listener
from data_pipeline.management.rendering.load_text import load_blocks
from data_pipeline.management.rendering.refresh_text import refresh_blocks
from data_pipeline.services.load_documents import load_document
from data_pipeline.services.load_replay import replay_load
from seeder.management.base_command import EXIT_FAILED, SeederCommand, whole_number
from seeder.services import unix_signals
from seeder.texts import Text


class Command(SeederCommand):
    help = Text("Load the file of a load again, with the same options.")
    output_formats = ("json",)
    ignored_variables = staticmethod(conf.ignored_variables)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("load_id", metavar="LOAD", type=whole_number, help=Text("id of the load"))

    def run(self, options: Namespace) -> int | None:
        with unix_signals.interrupt_on_signal(), self.output.show_progress("bytes") as advance:
            try:
                loaded = replay_load(options.load_id, on_progress=progress_listener(advance))
            except TooManyRejects as error:
                raise CommandError(str(error), returncode=EXIT_FAILED) from error
        document = {"ofLoad": options.load_id, **load_document(loaded)}
        self.output.show(document, [*load_blocks([loaded]), *refresh_blocks([loaded])])
        return EXIT_FAILED if loaded.refresh and loaded.refresh.failures else None
