import argparse
from argparse import Namespace
from collections.abc import Iterator, Sequence
from datetime import date

from django.core.management.base import CommandParser

from data_pipeline import conf
from data_pipeline.domain.dialects import Mode
from data_pipeline.domain.load_words import load_word
from data_pipeline.domain.uris import file_name
from data_pipeline.management.rendering.refresh_text import refresh_blocks
from data_pipeline.services import backfilling
from data_pipeline.services.backfilling import BackfillOptions, DayPlan, DayState
from data_pipeline.services.load_documents import optional_refresh_document
from data_pipeline.services.load_options import Loaded
from seeder.domain.human_format import format_count
from seeder.management.base_command import EXIT_FAILED, SeederCommand
from seeder.management.rendering.command_output import Block, TableRow, TextTable, figures, foldable
from seeder.services import unix_signals
from seeder.texts import Text

_STYLES = {DayState.MISSING: "yellow", DayState.FAILED: "bold red", DayState.LOADED: "green"}


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"must be a day such as 2026-11-29, not {text!r}") from error


class Command(SeederCommand):
    help = Text("Load the daily files of a period. Files that were loaded before are skipped.")
    output_formats = ("json",)
    ignored_variables = staticmethod(conf.ignored_variables)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "template",
            metavar="SOURCE",
            help=Text("address of the files, with {{date}} or a format such as {{date:%%Y%%m%%d}}"),
        )
        parser.add_argument("--from", dest="first", metavar="DAY", type=_day, required=True, help=Text("first day"))
        parser.add_argument("--to", dest="last", metavar="DAY", type=_day, required=True, help=Text("last day"))
        parser.add_argument(
            "--table",
            dest="target",
            metavar="TABLE",
            default="auto",
            help=Text("table to load (default: the dialect's)"),
        )
        parser.add_argument("--dialect", metavar="NAME", help=Text("name of a dialect, or path of its .toml file"))
        parser.add_argument(
            "--mode", choices=[one.value for one in Mode], help=Text("default: that of the dialect, or append")
        )
        parser.add_argument("--force", action="store_true", help=Text("load files again that were loaded before"))
        parser.add_argument("--dry-run", action="store_true", help=Text("show what would be loaded and load nothing"))

    def run(self, options: Namespace) -> int | None:
        how = BackfillOptions(table=options.target, dialect=options.dialect, mode=options.mode, force=options.force)
        plans = backfilling.plan_backfill(options.template, options.first, options.last, how)
        due = sum(backfilling.is_due(plan, how) for plan in plans)
        if not options.dry_run:
            with unix_signals.interrupt_on_signal(), self.output.show_progress(Text("files")) as advance:
                plans = list(backfilling.run_backfill(plans, how, on_progress=advance))
        document = {"dryRun": options.dry_run, "due": due, "days": [_document(plan) for plan in plans]}
        self.output.show(document, _blocks(plans, due, is_dry_run=options.dry_run))
        if options.dry_run:
            return None
        has_gaps = any(plan.state in {DayState.MISSING, DayState.FAILED} for plan in plans)
        has_failed_views = any(one.refresh and one.refresh.failures for one in _loads(plans))
        return EXIT_FAILED if has_gaps or has_failed_views else None


def _document(plan: DayPlan) -> dict[str, object]:
    return {
        "day": plan.day.isoformat(),
        "sourceUri": plan.source_uri,
        "state": plan.state,
        "loadId": plan.load_id,
        "isLoadedNow": plan.loaded is not None,
        "refresh": optional_refresh_document(plan.loaded.refresh) if plan.loaded else None,
        "error": plan.error,
    }


def _blocks(plans: Sequence[DayPlan], due: int, *, is_dry_run: bool) -> Iterator[Block]:
    days = format_count(len(plans), "day")
    if is_dry_run:
        yield Text("{number:,} of {days} would be loaded", number=due, days=days)
    else:
        loaded = sum(plan.loaded is not None for plan in plans)
        yield Text("{number:,} of {days} loaded", number=loaded, days=days)
    yield TextTable(
        headings=(Text("day"), foldable(Text("file")), Text("state"), figures(Text("load")), figures(Text("rows"))),
        rows=[_row(plan) for plan in plans],
    )
    yield from ((Text.joined([plan.day.isoformat(), plan.error], ": "), "bold red") for plan in plans if plan.error)
    yield from refresh_blocks(_loads(plans))


def _loads(plans: Sequence[DayPlan]) -> list[Loaded]:
    return [plan.loaded for plan in plans if plan.loaded is not None]


def _row(plan: DayPlan) -> TableRow:
    rows = "" if plan.loaded is None else f"{plan.loaded.counts.rows_in or 0:,}"
    state = Text("loaded now") if plan.loaded else load_word(plan.state)
    facts = {"day": plan.day.isoformat(), "file": file_name(plan.source_uri), "state": state}
    return TableRow(
        line=(
            Text("{day}: {file} {state} (load {load_id})", load_id=plan.load_id, **facts)
            if plan.load_id
            else Text("{day}: {file} {state}", **facts)
        ),
        cells=[
            plan.day.isoformat(),
            file_name(plan.source_uri),
            (state, _STYLES.get(plan.state, "")),
            str(plan.load_id or ""),
            rows,
        ],
    )
