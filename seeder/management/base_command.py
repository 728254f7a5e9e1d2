"""Base class of commands: expected errors are one line, or one JSON document, and exit code 2."""

import argparse
import gc
import sys
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar, NoReturn

from django.core.management.base import BaseCommand, CommandError, CommandParser, DjangoHelpFormatter

from seeder import conf
from seeder.console_script import BAD_ARGUMENTS, INTERRUPTED, interrupted_text, print_error
from seeder.domain.plain_numbers import parse_whole_number
from seeder.errors import SeederError
from seeder.management.rendering.command_output import CommandOutput, OutputFailed
from seeder.services import unix_signals
from seeder.services.documents.error_documents import DOCUMENTATION, command_error_document
from seeder.services.translation import translated
from seeder.texts import Text

EXIT_FAILED, EXIT_CANNOT_RUN = 1, 2
_COMMANDS_PAGE = f"{DOCUMENTATION}/reference/commands.md"
_FAILED = "command_failed"  # code of an error
_FORMAT_HELP = {
    "json": Text("print one JSON document and nothing else"),
    "json-lines": Text("print one JSON document in a line for each event as it happens"),
    "table": Text("print tables even if the output is not a terminal"),
}


def whole_number(text: str) -> int:
    """Read an argument in plain digits."""
    try:
        return parse_whole_number(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"must be a whole number in plain digits, not {text!r}") from error


def positive_integer(text: str) -> int:
    """Read an argument of at least 1."""
    number = whole_number(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"at least 1, not {number}")
    return number


class _HelpFormatter(DjangoHelpFormatter):
    """Translates the help. Headings and errors of argparse stay English."""

    def _format_text(self, text: str) -> str:
        return super()._format_text(translated(text))

    def _get_help_string(self, action: argparse.Action) -> str | None:
        text = super()._get_help_string(action)
        return text and translated(text)

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        """Keep the lines of the epilog. Argparse would fill them like a paragraph."""
        return text if "\n" in text else super()._fill_text(text, width, indent)


class SeederCommand(BaseCommand):
    """A command that calls one service in `run`, and shows the result with `output`."""

    # The service validates the settings that it needs, and names an invalid one in one line.
    requires_system_checks = ()
    # `reporting-seeder run` runs commands with this attribute, also those of other apps.
    is_job = True
    # Formats that an option of this name selects: json, json-lines, table.
    output_formats: ClassVar[Sequence[str]] = ()
    # Arguments that the help shows after the command's name.
    examples: ClassVar[Sequence[str]] = ()
    exit_codes: ClassVar[str] = Text("0 success, 1 failure, 2 invalid request, 130 or 143 interrupted")
    output: CommandOutput
    _argv: Sequence[str] = ()
    # A function that returns names and messages of variables to warn about. The doctor reports them itself.
    ignored_variables: ClassVar[Any] = staticmethod(conf.ignored_variables)

    @property
    def name(self) -> str:
        """The name on the command line."""
        return type(self).__module__.rpartition(".")[2]

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        epilog = Text.joined(self._epilog_lines(), "\n")
        parser = super().create_parser(
            prog_name, subcommand, **{"formatter_class": _HelpFormatter, "epilog": epilog, **kwargs}
        )
        if self.output_formats:
            group = parser.add_mutually_exclusive_group()
            for name in self.output_formats:
                group.add_argument(f"--{name}", action="store_true", help=_FORMAT_HELP[name])
        if parser.called_from_command_line:

            def error(message: str) -> NoReturn:
                """Print one line. Argparse would print the usage first."""
                text = f"{message}. See {parser.prog} --help"
                options = argparse.Namespace(json="--json" in self._argv, json_lines="--json-lines" in self._argv)
                if options.json or options.json_lines:
                    _show_error(CommandOutput(self.stdout, options), BAD_ARGUMENTS, text, EXIT_CANNOT_RUN)
                    parser.exit(EXIT_CANNOT_RUN)
                parser.exit(EXIT_CANNOT_RUN, f"{parser.prog}: {text}\n")

            parser.error = error  # type: ignore[method-assign]  # argparse has no option for it
        return parser

    def _epilog_lines(self) -> Iterator[str]:
        if self.examples:
            yield Text("examples:")
            yield from (f"  manage.py {self.name} {example}".rstrip() for example in self.examples)
            yield ""
        yield Text("exit codes: {codes}", codes=self.exit_codes)
        yield Text("documentation: {url}", url=f"{_COMMANDS_PAGE}#{self.name}")

    def run_from_argv(self, argv: list[str]) -> None:
        # The process is the command's alone, and its modules live as long as it. Otherwise Python's garbage collector
        # examines them again at the end, which takes longer than a small refresh.
        gc.freeze()
        self._argv = argv
        try:
            super().run_from_argv(argv)
        except KeyboardInterrupt:  # before or after `run`
            code = unix_signals.exit_code_of_signal(None)
            sys.exit(print_error(argv[0], interrupted_text(), code=INTERRUPTED, arguments=argv, exit_code=code))

    def handle(self, *_: Any, **options: Any) -> None:
        namespace = argparse.Namespace(**options)
        self.output = CommandOutput(self.stdout, namespace)
        for _variable, message in self.ignored_variables():
            self.stderr.write(translated(Text("Warning: {message}", message=message)))
        try:
            exit_code = self._run_with_plain_errors(namespace)
        except CommandError as error:
            if not (self.output.is_json and self._argv) or self.output.has_document:
                raise CommandError(translated(error), returncode=error.returncode) from error.__cause__
            cause = error.__cause__ if isinstance(error.__cause__, SeederError) else None
            _show_error(self.output, cause.code if cause else _error_code(error), str(cause or error), error.returncode)
            exit_code = error.returncode
        if exit_code:
            sys.exit(exit_code)

    def _run_with_plain_errors(self, options: argparse.Namespace) -> int | None:
        """Run the command. Raises `CommandError` for every expected error."""
        try:
            return self.run(options)
        except SeederError as error:
            raise CommandError(str(error), returncode=EXIT_CANNOT_RUN) from error
        except BrokenPipeError:
            self.output.discard()
            return None
        except OutputFailed as error:
            self.output.discard()
            message = Text(
                "The output cannot be written: {cause}. What the command has committed remains.", cause=error.strerror
            )
            raise CommandError(message, returncode=EXIT_CANNOT_RUN) from error
        except KeyboardInterrupt as interrupt:
            code = unix_signals.exit_code_of_signal(str(interrupt) or None)
            raise CommandError(interrupted_text(), returncode=code) from interrupt

    def run(self, options: argparse.Namespace) -> int | None:
        """Do the work. Return the exit code, or None for 0."""
        raise NotImplementedError


def _show_error(output: CommandOutput, code: str, message: str, exit_code: int) -> None:
    document = command_error_document(code, message, exit_code=exit_code)
    output.show({"event": "error", **document} if output.is_json_lines else document, [])


def _error_code(error: CommandError) -> str:
    """Return the code of an error that is none of seeder's own."""
    if isinstance(error.__cause__, KeyboardInterrupt):
        return INTERRUPTED
    return BAD_ARGUMENTS if error.__cause__ is None else _FAILED
