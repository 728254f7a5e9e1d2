import argparse
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from django.core.management.base import CommandParser

from data_pipeline import conf
from data_pipeline.artefact_errors import ArtefactError
from data_pipeline.domain.dialects import Mode
from data_pipeline.domain.refresh_dispatches import RefreshOutcome
from data_pipeline.domain.uris import file_name
from data_pipeline.errors import HeaderRefused, LoadInProgress, PipelineError, TooManyRejects
from data_pipeline.management.rendering.dry_run_text import dry_run_blocks
from data_pipeline.management.rendering.load_progress import progress_listener
from data_pipeline.management.rendering.load_text import load_blocks
from data_pipeline.management.rendering.refresh_text import refresh_blocks
from data_pipeline.services import dependent_refreshes
from data_pipeline.services.dry_run import DryRun, dry_run
from data_pipeline.services.load_documents import dry_run_document, load_document
from data_pipeline.services.load_file import load_file
from data_pipeline.services.load_options import GivenOptions, Loaded, LoadOptions
from data_pipeline.services.load_requests import enqueue_load
from seeder.domain.plain_numbers import parse_whole_number
from seeder.errors import SeederError
from seeder.management.base_command import EXIT_CANNOT_RUN, EXIT_FAILED, SeederCommand
from seeder.management.rendering.command_output import Progress
from seeder.services import unix_signals
from seeder.texts import Text


def _limit(text: str) -> tuple[int | None, float | None]:
    """Read a number of records, or a share such as 1.5%."""
    try:
        if not text.endswith("%"):
            return parse_whole_number(text), None
        share = float(text[:-1]) / 100
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise argparse.ArgumentTypeError(f"must be a whole number or a share such as 1.5%, not {text!r}")
    return None, share


# After these errors, the other files are loaded. Others concern all files.
_ERRORS_OF_ONE_FILE = (ArtefactError, HeaderRefused, LoadInProgress, TooManyRejects)


class Command(SeederCommand):
    help = Text("Load files into tables, each exactly once, and queue a refresh of the dependent views.")
    output_formats = ("json",)  # `--table` names the table to load
    ignored_variables = staticmethod(conf.ignored_variables)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "uris", metavar="URI", nargs="+", help=Text("path of a file, or its address: file://, s3:// or https://")
        )
        parser.add_argument(
            "--table",
            dest="target",  # `table` is the option of other commands that forces tables
            metavar="TABLE",
            default="auto",
            help=Text("table to load, with its schema (default: that of the dialect, otherwise named after the file)"),
        )
        parser.add_argument("--dialect", metavar="NAME", help=Text("name of a dialect, or path of its .toml file"))
        parser.add_argument(
            "--mode", choices=[one.value for one in Mode], help=Text("default: that of the dialect, or append")
        )
        parser.add_argument(
            "--key", metavar="KEY", help=Text("idempotency key, 64 hexadecimal digits (default: computed)")
        )
        parser.add_argument("--force", action="store_true", help=Text("load the file although it was loaded before"))
        parser.add_argument("--sheet", metavar="NAME", help=Text("sheet of a workbook (default: the only visible one)"))
        parser.add_argument(
            "--max-rejects",
            metavar="N|N%",
            type=_limit,
            default=(None, None),
            help=Text("number or share of records that may be rejected (default: DATA_PIPELINE_MAX_REJECTS)"),
        )
        action = parser.add_mutually_exclusive_group()
        action.add_argument("--queue", action="store_true", help=Text("queue the loads for a worker, and do not wait"))
        action.add_argument(
            "--dry-run",
            action="store_true",
            help=Text("load and refresh on trial, show what would change, and roll it back"),
        )

    def run(self, options: Namespace) -> int | None:
        if options.queue:
            self._enqueue(options)
            return None
        return self._dry_run(options) if options.dry_run else self._load_all(options)

    def _enqueue(self, options: Namespace) -> None:
        given = LoadOptions.from_given(_options(options))
        queued = [enqueue_load(uri, given, requested_by=self.name) for uri in options.uris]
        lines = [
            Text("{file}: queued as the request {request_id}", file=one.source_uri, request_id=one.request_id)
            for one in queued
        ]
        document = {"requests": [{"requestId": one.request_id, "sourceUri": one.source_uri} for one in queued]}
        self.output.show(document, lines)

    def _dry_run(self, options: Namespace) -> int | None:
        runs, failures = list[DryRun](), list[tuple[str, PipelineError]]()
        with unix_signals.interrupt_on_signal(), self.output.show_progress("bytes") as advance:
            for uri in options.uris:
                try:
                    runs.append(dry_run(uri, **_arguments(options, advance)))
                except _ERRORS_OF_ONE_FILE as error:
                    failures.append((uri, error))
        if len(options.uris) == len(failures) == 1:
            raise failures[0][1]
        texts = [_failure_text(uri, error) for uri, error in failures]
        document = {"dryRun": True, "loads": [dry_run_document(one) for one in runs], "failures": texts}
        self.output.show(document, [*dry_run_blocks(runs), *((text, "red") for text in texts)])
        if failures:
            return EXIT_CANNOT_RUN
        return EXIT_FAILED if any(one.would_fail for one in runs) else None

    def _load_all(self, options: Namespace) -> int | None:
        loads, failures = list[Loaded](), list[tuple[str, PipelineError]]()
        try:
            with unix_signals.interrupt_on_signal(), self.output.show_progress("bytes") as advance:
                for uri in options.uris:
                    try:
                        loads.append(load_file(uri, **_arguments(options, advance), refresh_here=False))
                    except _ERRORS_OF_ONE_FILE as error:
                        failures.append((uri, error))
        except (SeederError, KeyboardInterrupt):
            if loads or failures:
                self._show(loads, failures)
            raise
        if len(options.uris) == len(failures) == 1 and not isinstance(failures[0][1], TooManyRejects):
            raise failures[0][1]
        loads = self._refresh_without_queue(loads)
        self._show(loads, failures)
        if any(not isinstance(error, TooManyRejects) for _, error in failures):
            return EXIT_CANNOT_RUN
        has_failed_views = any(one.refresh and one.refresh.failures for one in loads)
        return EXIT_FAILED if failures or has_failed_views else None

    def _show(self, loads: Sequence[Loaded], failures: Sequence[tuple[str, PipelineError]]) -> None:
        texts = [_failure_text(uri, error) for uri, error in failures]
        document = {"loads": [load_document(one) for one in loads], "failures": texts}
        self.output.show(document, [*load_blocks(loads), *refresh_blocks(loads), *((text, "red") for text in texts)])

    def _refresh_without_queue(self, loads: Sequence[Loaded]) -> list[Loaded]:
        """Refresh views of all loads together, if they could not be queued. Return the loads with their refreshes."""
        if not any(one.refresh and one.refresh.outcome is RefreshOutcome.UNDISPATCHED for one in loads):
            return list(loads)
        with unix_signals.stop_on_signal() as stop:
            dispatches = dependent_refreshes.dispatch_refreshes(refresh_here=True, stop=stop)
        by_load = {load_id: dispatch for dispatch in dispatches for load_id in dispatch.load_ids}
        return [replace(one, refresh=by_load.get(one.load_id, one.refresh)) for one in loads]


def _failure_text(uri: str, error: PipelineError) -> str:
    """Return the message. Those about rejects do not name the file, because their load does."""
    return Text.joined([file_name(uri), str(error)], ": ") if isinstance(error, TooManyRejects) else str(error)


def _arguments(options: Namespace, advance: Progress) -> dict[str, Any]:
    """Return the arguments of `load_file` and `dry_run`."""

    return {**_options(options), "on_progress": progress_listener(advance)}


def _options(options: Namespace) -> GivenOptions:
    max_rejects, max_ratio = options.max_rejects
    return {
        "table": options.target,
        "dialect": options.dialect,
        "key": options.key,
        "mode": options.mode,
        "force": options.force,
        "max_rejects": max_rejects,
        "max_reject_ratio": max_ratio,
        "sheet": options.sheet,
    }
