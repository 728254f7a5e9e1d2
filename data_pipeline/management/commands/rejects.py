from argparse import Namespace
from pathlib import Path

from django.core.management.base import CommandError, CommandParser

from data_pipeline import conf
from data_pipeline.correction_errors import RejectsNotLoaded
from data_pipeline.management.rendering.reject_text import list_blocks, replay_blocks
from data_pipeline.services import reject_listing, reject_replay
from data_pipeline.services.reject_documents import dismissal_document, list_document, replay_document
from seeder.domain.human_format import format_count
from seeder.management.base_command import EXIT_CANNOT_RUN, EXIT_FAILED, SeederCommand, whole_number
from seeder.services import unix_signals
from seeder.texts import Text


class Command(SeederCommand):
    help = Text("List the rejected records of a load, write them out, and load them again when they are corrected.")
    output_formats = ("json",)
    ignored_variables = staticmethod(conf.ignored_variables)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("load_id", metavar="LOAD", type=whole_number, help=Text("id of the load"))
        actions = parser.add_mutually_exclusive_group()
        actions.add_argument(
            "--csv", metavar="FILE", help=Text("write the open rejects to a new file for a spreadsheet")
        )
        actions.add_argument("--replay", metavar="FILE", help=Text("load the corrected records of such a file"))
        actions.add_argument(
            "--replay-as-is",
            action="store_true",
            help=Text("load the open rejects as they are, after the table was changed"),
        )
        actions.add_argument(
            "--dismiss", action="store_true", help=Text("dismiss the open rejects, and the failure of the load")
        )
        parser.add_argument(
            "--limit",
            type=whole_number,
            default=reject_listing.DEFAULT_LIMIT,
            metavar="N",
            help=Text("maximum number of listed rejects (default: {limit})", limit=reject_listing.DEFAULT_LIMIT),
        )

    def run(self, options: Namespace) -> int | None:
        load_id = options.load_id
        if options.csv:
            self._write(load_id, options.csv)
        elif options.replay or options.replay_as_is:
            return self._replay(load_id, options.replay)
        elif options.dismiss:
            dismissed = reject_listing.dismiss_load(load_id, actor=self.name)
            facts = {"load_id": load_id, "rejects": format_count(dismissed.rejects, "reject")}
            if dismissed.is_failure:
                line = Text("load {load_id}: its failure and {rejects} dismissed", **facts)
            else:
                line = Text("load {load_id}: {rejects} dismissed", **facts)
            self.output.show(dismissal_document(load_id, dismissed), [line])
        else:
            found = reject_listing.list_rejects(load_id, limit=options.limit)
            self.output.show(list_document(found), list_blocks(found))
        return None

    def _write(self, load_id: int, path: str) -> None:
        try:
            count = reject_listing.write_reject_file(load_id, Path(path))
        except OSError as error:
            message = Text("{path} cannot be written: {cause}.", path=path, cause=error.strerror)
            raise CommandError(message, returncode=EXIT_CANNOT_RUN) from error
        rejects = format_count(count, "open reject")
        lines = [Text("{path}: {rejects} of load {load_id}", path=path, rejects=rejects, load_id=load_id)]
        if count:
            lines.append(
                Text(
                    "Correct the values, and run: manage.py rejects {load_id} --replay {path}",
                    load_id=load_id,
                    path=path,
                )
            )
        self.output.show({"loadId": load_id, "path": path, "written": count}, lines)

    def _replay(self, load_id: int, path: str | None) -> int | None:
        try:
            with unix_signals.interrupt_on_signal():
                result = reject_replay.replay_rejects(load_id, path=path, actor=self.name)
        except RejectsNotLoaded as error:
            raise CommandError(str(error), returncode=EXIT_FAILED) from error
        self.output.show(replay_document(result), replay_blocks(result))
        has_failed_views = result.refresh is not None and result.refresh.failures
        return EXIT_FAILED if result.refused or result.unusable or has_failed_views else None
