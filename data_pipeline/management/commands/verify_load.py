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


class Command(SeederCommand):
    help = "Read the file of a load again, and compare it with the recorded hash and with the rows in the table."
    output_formats = ("json",)
    ignored_variables = staticmethod(conf.ignored_variables)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("load_id", metavar="LOAD", type=whole_number, help="id of the load")

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
            yield f"{found.source_uri}: equal to what was loaded", "green"
        case ArtefactState.CHANGED:
            yield f"{found.source_uri}: changed since, its content has another hash", "bold red"
        case ArtefactState.UNREADABLE:
            yield f"{found.source_uri}: cannot be compared. {found.artefact_problem}", "bold red"
    rows = format_count(found.rows_recorded, "row")
    match found.rows:
        case RowsState.EQUAL:
            yield f"{found.table}: {rows} of load {found.load_id}, equal to the file", "green"
        case RowsState.CHANGED:
            yield f"{found.table}: rows of load {found.load_id} were changed since{_changes(found, rows)}", "bold red"
        case RowsState.UNKNOWN:
            yield f"{found.table}: the {rows} of load {found.load_id} are not compared: {found.reason}", "yellow"


def _changes(found: Verification, rows: str) -> str:
    parts = []
    if found.rows_found != found.rows_recorded:
        parts.append(f"{found.rows_found or 0:,} of {rows} are there")
    if found.rows_different:
        parts.append(f"{format_count(found.rows_different, 'row')} different from the file")
    if found.later_loads:
        parts.append(f"changed by the loads {', '.join(map(str, found.later_loads))}")
    return "".join(f"; {part}" for part in parts)
