from argparse import Namespace
from collections.abc import Iterator

from django.core.management.base import CommandParser

from data_pipeline import conf
from data_pipeline.domain.partition_names import NAME_FORMATS
from data_pipeline.postgres.partitioning import PartitionPlan
from data_pipeline.services.partitioning import partition_table
from seeder.domain.human_format import format_count
from seeder.management.base_command import SeederCommand, whole_number
from seeder.management.rendering.command_output import Block, Verbatim
from seeder.texts import Text


class Command(SeederCommand):
    help = Text("Replace a table by a partitioned one with the same rows. Without --apply, print the statements only.")
    output_formats = ("json",)
    ignored_variables = staticmethod(conf.ignored_variables)
    is_job = False  # a change of the schema

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("target", metavar="TABLE", help=Text("table, with its schema"))
        parser.add_argument(
            "--by", required=True, metavar="COLUMN", help=Text("date or timestamp whose periods are partitions")
        )
        parser.add_argument(
            "--every",
            required=True,
            choices=tuple(NAME_FORMATS),
            help=Text("length of a period; in UTC for a timestamptz"),
        )
        parser.add_argument(
            "--ahead",
            type=whole_number,
            default=3,
            metavar="N",
            help=Text("empty partitions after the current one (default: 3)"),
        )
        parser.add_argument("--apply", action="store_true", help=Text("run the statements in one transaction"))

    def run(self, options: Namespace) -> None:
        plan = partition_table(
            options.target, column=options.by, every=options.every, ahead=options.ahead, apply=options.apply
        )
        document = {
            "table": str(plan.table),
            "replaced": str(plan.replaced),
            "applied": options.apply,
            "partitions": list(plan.partitions),
            "defaultRows": plan.default_rows,
            "steps": [{"statement": step.statement, "locks": step.locks} for step in plan.steps],
        }
        self.output.show(document, _blocks(plan, is_applied=options.apply))


def _blocks(plan: PartitionPlan, *, is_applied: bool) -> Iterator[Block]:
    if not is_applied:
        yield Verbatim("BEGIN;")
        locks = None
        for step in plan.steps:
            if step.locks != locks:
                yield Verbatim(Text("-- locks {locks}", locks=step.locks))
            locks = step.locks
            yield Verbatim(step.statement)
        yield Verbatim("COMMIT;")
    partitions = format_count(len(plan.partitions), "partition")
    rows = format_count(plan.default_rows, "row")
    if is_applied:
        yield Text(
            "{table} has {partitions} now, and the same rows. The default partition has {rows} without a period.",
            table=plan.table,
            partitions=partitions,
            rows=rows,
        )
        yield Text(
            "The table itself is {replaced}. If you need it no more: DROP TABLE {replaced};", replaced=plan.replaced
        )
    else:
        yield Verbatim(
            Text(
                "-- {partitions}; the default one gets {rows} without a period. Nothing has changed; --apply runs the"
                " statements.",
                partitions=partitions,
                rows=rows,
            )
        )
