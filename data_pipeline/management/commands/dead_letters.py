from argparse import Namespace
from collections.abc import Sequence
from dataclasses import asdict

from django.core.management.base import CommandError, CommandParser

from data_pipeline import conf
from data_pipeline.management.rendering.letter_text import letter_blocks, letter_document, replay_blocks
from data_pipeline.services import dead_letters
from data_pipeline.services.dead_letters import ReplayedLetter
from seeder.management.base_command import EXIT_CANNOT_RUN, EXIT_FAILED, SeederCommand, whole_number
from seeder.services import unix_signals


class Command(SeederCommand):
    help = "List the objects that could not be transformed, replay them, or dismiss them."
    output_formats = ("json",)
    ignored_variables = staticmethod(conf.ignored_variables)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("letters", metavar="ID", nargs="*", type=whole_number, help="letters to replay or dismiss")
        actions = parser.add_mutually_exclusive_group()
        actions.add_argument(
            "--replay", action="store_true", help="process the artefacts now (default without ID: of all open letters)"
        )
        actions.add_argument("--dismiss", action="store_true", help="never try these versions again")
        actions.add_argument("--all", action="store_true", help="also list resolved and dismissed letters")
        parser.add_argument(
            "--limit",
            type=whole_number,
            default=dead_letters.DEFAULT_LIMIT,
            metavar="N",
            help=f"maximum number of listed letters (default: {dead_letters.DEFAULT_LIMIT})",
        )

    def run(self, options: Namespace) -> int | None:
        if options.replay:
            return self._replay(options.letters)
        if options.dismiss:
            return self._dismiss(options.letters)
        if options.letters:
            raise CommandError("Use --replay or --dismiss with the ids of letters.", returncode=EXIT_CANNOT_RUN)
        found = dead_letters.list_letters(limit=options.limit, has_all_states=options.all)
        self.output.show({"letters": [letter_document(one) for one in found]}, letter_blocks(found))
        return None

    def _replay(self, letter_ids: Sequence[int]) -> int | None:
        chosen = letter_ids or [one.letter_id for one in dead_letters.list_letters(limit=None)]
        replayed = list[ReplayedLetter]()
        with unix_signals.interrupt_on_signal(), self.output.show_progress("letters") as advance:
            for letter_id in chosen:
                replayed.append(dead_letters.replay_letter(letter_id))
                advance(len(replayed), len(chosen))
        self.output.show({"replayed": [asdict(one) for one in replayed]}, replay_blocks(replayed))
        return EXIT_FAILED if any(one.error for one in replayed) else None

    def _dismiss(self, letter_ids: Sequence[int]) -> int | None:
        dismissed = dead_letters.dismiss_letters(letter_ids, actor=self.name)
        others = [one for one in letter_ids if one not in dismissed]
        lines = [f"dead letter {one}: dismissed" for one in dismissed]
        self.output.show(
            {"dismissed": list(dismissed), "others": others},
            [*lines, *(f"dead letter {one}: not open" for one in others)],
        )
        return EXIT_FAILED if others else None
