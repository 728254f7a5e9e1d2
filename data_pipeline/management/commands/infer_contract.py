from argparse import Namespace
from pathlib import Path

from django.core.management.base import CommandParser

from data_pipeline import conf
from data_pipeline.services.dialect_inference import infer_dialect, write_dialect
from seeder.domain.human_format import format_count
from seeder.management.base_command import SeederCommand, whole_number
from seeder.management.rendering.command_output import Verbatim
from seeder.texts import Text


class Command(SeederCommand):
    help = Text("Infer the columns of a file, and print them as a dialect to edit.")
    output_formats = ("json",)
    ignored_variables = staticmethod(conf.ignored_variables)
    is_job = False  # its result is a file to edit

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "uri", metavar="FILE", help=Text("path of a file, or its address: file://, s3:// or https://")
        )
        parser.add_argument(
            "--rows", metavar="N", type=whole_number, help=Text("number of records to read (default: all)")
        )
        parser.add_argument("--out", metavar="DIALECT.toml", type=Path, help=Text("new file for the dialect"))

    def run(self, options: Namespace) -> None:
        inferred = infer_dialect(options.uri, rows=options.rows)
        inference = inferred.inference
        document = {
            "records": inference.records,
            "malformed": inference.malformed,
            "columns": [
                {"heading": one.heading, "name": one.name, "type": one.type.value, "nullable": one.is_nullable}
                for one in inference.columns
            ],
            "dialect": inferred.toml,
        }
        if options.out is None:
            self.output.show(document, map(Verbatim, inferred.toml.splitlines()))
            return
        write_dialect(inferred, options.out)
        summary = Text(
            "{path}: {columns} inferred from {records}.",
            path=options.out,
            columns=format_count(len(inference.columns), "column"),
            records=format_count(inference.records, "record"),
        )
        self.output.show(document, [summary])
