from argparse import Namespace
from collections.abc import Iterator

from django.core.management.base import CommandParser

from data_pipeline import conf
from data_pipeline.domain.verifications import ArtefactState, RowsState, Verification
from data_pipeline.management.rendering.load_progress import progress_listener
from data_pipeline.services.verifying import verify_load
from seeder.domain.human_format import format_count
from seeder.management.base_command import EXIT_FAILED, SeederCommand, whole_number
from seeder.management.rendering.command_output import Block
from seeder.services import unix_signals
from seeder.texts import Text


class Command(SeederCommand):
    help = Text("Read the file of a load again, and compare it with the recorded hash and with the rows in the table.")
    output_formats = ("json",)
    ignored_variables = staticmethod(conf.ignored_variables)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("load_id", metavar="LOAD", type=whole_number, help=Text("id of the load"))

    def run(self, options: Namespace) -> int | None:
        with unix_signals.interrupt_on_signal(), self.output.show_progress("bytes") as advance:
            found = verify_load(options.load_id, actor=self.name, on_progress=progress_listener(advance))
        document = {
            "loadId": found.load_id,
            "table": found.table,
            "sourceUri": found.source_uri,
            "artefact": found.artefact,
            "artefactProblem": found.artefact_problem,
            "recordedBlake2b": found.recorded_blake2b,
            "foundBlake2b": found.found_blake2b,
            "rows": found.rows,
            "rowsRecorded": found.rows_recorded,
            "rowsFound": found.rows_found,
            "rowsDifferent": found.rows_different,
            "laterLoads": list(found.later_loads),
            "reason": found.reason,
        }
        self.output.show(document, _blocks(found))
        return None if found.is_proved else EXIT_FAILED


def _blocks(found: Verification) -> Iterator[Block]:
    match found.artefact:
        case ArtefactState.EQUAL:
            yield Text("{file}: equal to what was loaded", file=found.source_uri), "green"
        case ArtefactState.CHANGED:
            yield Text("{file}: changed since, its content has another hash", file=found.source_uri), "bold red"
        case ArtefactState.UNREADABLE:
            problem = found.artefact_problem
            yield Text("{file}: cannot be compared. {problem}", file=found.source_uri, problem=problem), "bold red"
    rows = format_count(found.rows_recorded, "row")
    facts = {"table": found.table, "rows": rows, "load_id": found.load_id}
    match found.rows:
        case RowsState.EQUAL:
            yield Text("{table}: {rows} of load {load_id}, equal to the file", **facts), "green"
        case RowsState.CHANGED:
            changed = Text("{table}: rows of load {load_id} were changed since", **facts)
            yield Text.joined([changed, *_changes(found, rows)], "; "), "bold red"
        case RowsState.UNKNOWN:
            message = Text(
                "{table}: the {rows} of load {load_id} are not compared: {reason}", reason=found.reason, **facts
            )
            yield message, "yellow"


def _changes(found: Verification, rows: str) -> Iterator[Text]:
    if found.rows_found != found.rows_recorded:
        yield Text("{number:,} of {rows} are there", number=found.rows_found or 0, rows=rows)
    if found.rows_different:
        yield Text("{rows} different from the file", rows=format_count(found.rows_different, "row"))
    if found.later_loads:
        yield Text("changed by the loads {load_ids}", load_ids=", ".join(map(str, found.later_loads)))
