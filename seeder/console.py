# PYTHON_ARGCOMPLETE_OK
"""The console script `reporting-seeder`, the entry point of a container: lists the jobs, or runs one.

Its help imports no Django, and its list uses no database. A job runs in this process, so that it gets the signals, and
ends with its own exit code.
"""

import argparse
import json
import os
import signal
import sys
from collections.abc import Sequence

from seeder import __version__, shell_completion
from seeder.console_script import (
    EXIT_CANNOT_RUN,
    INTERRUPTED,
    OneLineErrorParser,
    add_settings_option,
    find_modules_in_current_folder,
    interrupted_text,
    manage_py_default,
    print_error,
    print_lines,
    split_at_separator,
    take_settings,
)
from seeder.errors import SeederError, SettingsMissing, SettingsUnusable
from seeder.services.django_bootstrap import bootstrap_django
from seeder.services.translation import translated
from seeder.services.unix_signals import exit_code_of_signal

_NAME = "reporting-seeder"


def main(arguments: Sequence[str] | None = None) -> int:
    """Return the exit code, unless a job ends the process with its own."""
    parser = _build_parser()
    if shell_completion.REQUESTED:
        shell_completion.complete(parser, start_django=_start_django)
    argv = list(sys.argv[1:] if arguments is None else arguments)
    own, separated = split_at_separator(argv)
    options = parser.parse_args(own)
    if not options.command:
        parser.print_help()
        return EXIT_CANNOT_RUN
    # After an argument of the job, `--` is one of them.
    job_arguments = [*options.arguments, *separated] if options.arguments else separated[1:]
    try:
        # Once Django is started, settings among the job's arguments would have no effect.
        settings_among_arguments, _ = take_settings(_NAME, job_arguments)
        _start_django(settings_among_arguments or options.settings)
        return _run_job(options.job, job_arguments) if options.command == "run" else _list_jobs(as_json=options.json)
    except SeederError as error:
        return print_error(_NAME, error, arguments=argv)
    except KeyboardInterrupt:  # before the command began, or of a command of another app
        code = exit_code_of_signal(None)
        return print_error(_NAME, interrupted_text(), code=INTERRUPTED, arguments=argv, exit_code=code)


def _build_parser() -> argparse.ArgumentParser:
    settings_parser = OneLineErrorParser(add_help=False)
    add_settings_option(settings_parser, default=argparse.SUPPRESS)  # keeps a value that precedes the command
    parser = OneLineErrorParser(prog=_NAME, description="Keeps PostgreSQL materialized views fresh.")
    add_settings_option(parser, default="")
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    parser.set_defaults(arguments=[])
    commands = parser.add_subparsers(dest="command", metavar="{list,run}")
    list_parser = commands.add_parser("list", help="list the jobs with their descriptions", parents=[settings_parser])
    list_parser.add_argument("--json", action="store_true", help="print one JSON document and nothing else")
    usage = f"{_NAME} run [-h] [--settings MODULE] JOB [-- ARGS ...]"
    run_parser = commands.add_parser(
        "run", help="run a job and exit with its exit code", parents=[settings_parser], usage=usage
    )
    run_parser.add_argument("job", metavar="JOB", help=f"name of a job; see `{_NAME} list`")
    help_text = "arguments of the job; -- --help shows them"
    run_parser.add_argument("arguments", metavar="ARGS", nargs=argparse.REMAINDER, help=help_text).required = False
    return parser


def _start_django(settings_module: str) -> None:
    """Start Django. Modules are also found in the current folder, as with manage.py."""
    settings_module = settings_module or os.environ.get("DJANGO_SETTINGS_MODULE") or manage_py_default()
    if not settings_module:
        raise SettingsMissing
    find_modules_in_current_folder()
    bootstrap_django(settings_module)


def _list_jobs(*, as_json: bool) -> int:
    from seeder.services.command_discovery import app_name, description, discover_jobs

    commands, unusable = discover_jobs()
    for problem in unusable:
        sys.stderr.write(f"{_NAME}: {translated(problem)}\n")
    if as_json:
        jobs = [{"name": name, "description": description(job), "app": app_name(job)} for name, job in commands.items()]
        lines = [json.dumps({"jobs": jobs}, indent=2, ensure_ascii=False)]
    else:
        width = max(map(len, commands), default=0)
        lines = [f"{name:{width}}  {translated(description(job))}".rstrip() for name, job in commands.items()]
    print_lines(lines)
    return 0


def _run_job(name: str, job_arguments: Sequence[str]) -> int:
    """Run a job like `manage.py`, which ends the process if the job fails."""
    from django.core.exceptions import ImproperlyConfigured

    from seeder.services.command_discovery import find_job

    # The kernel ignores a signal without a handler in the first process of a container.
    if os.getpid() == 1 and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    try:
        find_job(name).run_from_argv([f"{_NAME} run", name, *job_arguments])
    except ImproperlyConfigured as error:  # its message suffices; a traceback would not help
        return print_error(_NAME, error, code=SettingsUnusable.code, arguments=job_arguments)
    return 0


if __name__ == "__main__":
    sys.exit(main())
