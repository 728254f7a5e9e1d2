from argparse import Namespace
from collections.abc import Sequence

from django.core.management.base import CommandError, CommandParser

from data_pipeline import conf
from data_pipeline.management.rendering.letter_text import (
    letter_blocks,
    letter_document,
    replay_blocks,
    replay_document,
)
from data_pipeline.services import dead_letters
from seeder.management.base_command import EXIT_CANNOT_RUN, EXIT_FAILED, SeederCommand, whole_number
from seeder.services import unix_signals
from seeder.texts import Text


class Command(SeederCommand):
    help = Text("List the files and objects whose load failed, replay them, or dismiss them.")
    output_formats = ("json",)
    ignored_variables = staticmethod(conf.ignored_variables)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "loads", metavar="LOAD", nargs="*", type=whole_number, help=Text("ids of failed loads to replay or dismiss")
        )
        actions = parser.add_mutually_exclusive_group()
        actions.add_argument(
            "--replay",
            action="store_true",
            help=Text("load the artefacts again, the oldest first (default: all open ones)"),
        )
        actions.add_argument("--dismiss", action="store_true", help=Text("mark them as needing no attention"))
        actions.add_argument("--all", action="store_true", help=Text("also list resolved and dismissed ones"))
        parser.add_argument("--due", action="store_true", help=Text("only those whose next try has come"))
        parser.add_argument(
            "--limit",
            type=whole_number,
            default=dead_letters.DEFAULT_LIMIT,
            metavar="N",
            help=Text("maximum number of listed ones (default: {limit})", limit=dead_letters.DEFAULT_LIMIT),
        )

    def run(self, options: Namespace) -> int | None:
        if options.due and (options.loads or options.dismiss or options.all):
            raise CommandError(Text("Use --due alone or with --replay."), returncode=EXIT_CANNOT_RUN)
        if options.replay:
            return self._replay(options.loads, only_due=options.due)
        if options.dismiss:
            return self._dismiss(options.loads)
        if options.loads:
            raise CommandError(Text("Use --replay or --dismiss with the ids of loads."), returncode=EXIT_CANNOT_RUN)
        found = dead_letters.list_letters(limit=options.limit, has_all_states=options.all, only_due=options.due)
        self.output.show({"letters": [letter_document(one) for one in found]}, letter_blocks(found))
        return None

    def _replay(self, load_ids: Sequence[int], *, only_due: bool) -> int | None:
        with unix_signals.interrupt_on_signal(), self.output.show_progress(Text("loads")) as advance:
            replayed = dead_letters.replay_letters(load_ids, only_due=only_due, on_progress=advance)
        self.output.show({"replayed": [replay_document(one) for one in replayed]}, replay_blocks(replayed))
        return EXIT_FAILED if any(one.error for one in replayed) else None

    def _dismiss(self, load_ids: Sequence[int]) -> int | None:
        dismissed = dead_letters.dismiss_letters(load_ids, actor=self.name)
        others = [one for one in load_ids if one not in dismissed]
        lines = [
            *(Text("load {load_id}: dismissed", load_id=one) for one in dismissed),
            *(Text("load {load_id}: not an open dead letter", load_id=one) for one in others),
        ]
        self.output.show({"dismissed": list(dismissed), "others": others}, lines)
        return EXIT_FAILED if others else None
