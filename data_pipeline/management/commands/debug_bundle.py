import json
from argparse import Namespace
from collections.abc import Callable, Iterator, Mapping
from io import StringIO
from pathlib import Path

from django.core.management import CommandError, call_command, get_commands
from django.core.management.base import CommandParser
from django.utils import timezone

from data_pipeline import conf
from data_pipeline.services.debug_bundle import write_bundle
from seeder.domain.human_format import format_size
from seeder.errors import SeederError
from seeder.management.base_command import SeederCommand
from seeder.management.rendering.command_output import Block
from seeder.texts import Text

_INCLUDED_COMMANDS = ("doctor", "queue_status")


class Command(SeederCommand):
    help = Text("Write a zip archive for the analysis of a fault, without data, rejected records and secrets.")
    output_formats = ("json",)
    ignored_variables = staticmethod(conf.ignored_variables)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("path", metavar="FILE", nargs="?", help=Text("new file (default: debug-bundle-<time>.zip)"))

    def run(self, options: Namespace) -> None:
        path = Path(options.path or f"debug-bundle-{timezone.now():%Y%m%d-%H%M%S}.zip")
        others = {f"{name}.json": _output_of(name) for name in _INCLUDED_COMMANDS if name in get_commands()}
        problems = write_bundle(path, others=others)
        document = {"path": str(path), "sizeBytes": path.stat().st_size, "files": problems}
        self.output.show(document, _blocks(path, problems))


def _output_of(name: str) -> Callable[[], object]:
    """Return a function that runs a command of an installed app.

    It returns the command's JSON document.
    """

    def run() -> object:
        out = StringIO()
        try:
            call_command(name, "--json", stdout=out, stderr=StringIO())
        except CommandError as error:
            raise _CommandFailed(command=name, cause=error) from error
        except SystemExit:  # it has printed the document, with problems
            pass
        return json.loads(out.getvalue())

    return run


class _CommandFailed(SeederError):
    """{command} failed: {cause}"""


def _blocks(path: Path, problems: Mapping[str, str | None]) -> Iterator[Block]:
    size = format_size(path.stat().st_size)
    yield Text("{path}: {number} files, {size}", path=path, number=len(problems), size=size)
    for name, problem in problems.items():
        if problem:
            yield Text("{file} is not complete: {problem}", file=name, problem=problem), "yellow"
    yield Text("It has no data, rejected records or secrets, but names of tables, files and machines.")
