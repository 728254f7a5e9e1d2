"""The console script `data-pipeline`, which lists jobs or runs one.

It is the entry point of a container. Its help and its list import no Django. A job runs in this process, so that it
gets the signals. It starts Django only if it uses the database.
"""

import argparse
import os
import sys
from collections.abc import Sequence

from data_pipeline.cli import job_commands
from seeder import __version__
from seeder.console_script import (
    EXIT_CANNOT_RUN,
    INTERRUPTED,
    OneLineErrorParser,
    add_settings_option,
    discard_output,
    find_modules_in_current_folder,
    interrupted_text,
    manage_py_default,
    print_error,
    split_at_separator,
    take_settings,
)
from seeder.errors import SeederError
from seeder.services.unix_signals import exit_code_of_signal, interrupt_on_signal

NAME = job_commands.PROGRAM
_OWN_OPTIONS = {"-h", "--help", "--version"}
_SCRIPTS = f"{NAME}-"  # with the name of a job: its console script
_EPILOG = "If the first argument is another option, the default job (setting DEFAULT_JOB) runs with all arguments."


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command, and return its exit code.

    The code is that of the job, 2 if nothing was run, or 128 and the number of a signal that ended it.
    """
    argv = list(sys.argv[1:] if arguments is None else arguments)
    try:
        with interrupt_on_signal():
            return _run(argv)
    except SeederError as error:
        return print_error(NAME, error, arguments=argv)
    except BrokenPipeError:  # the job has not ended
        discard_output()
        return exit_code_of_signal("SIGPIPE")
    except KeyboardInterrupt as interrupt:
        code = exit_code_of_signal(str(interrupt) or None)
        return print_error(NAME, interrupted_text(), code=INTERRUPTED, arguments=argv, exit_code=code)


def _run(argv: Sequence[str]) -> int:
    before_separator, separated = split_at_separator(argv)
    settings, own = take_settings(NAME, before_separator)
    if own and own[0].startswith("-") and own[0] not in _OWN_OPTIONS:
        return job_commands.run_default_job([*own, *separated], settings_module=_settings_module(settings))
    if own and own[0].startswith(_SCRIPTS):  # the arguments of a container that would run the script
        job = own[0].removeprefix(_SCRIPTS).replace("-", "_")
        return job_commands.run_job(job, [*own[1:], *separated], settings_module=_settings_module(settings))
    parser = build_parser()
    options = parser.parse_args(own)
    match options.command:
        case "list":
            return job_commands.list_jobs(settings_module=_settings_module(settings), as_json=options.json)
        case "run":
            # After an argument of the job, `--` is one of them.
            job_arguments = [*options.arguments, *separated] if options.arguments else list(separated[1:])
            # Once Django is started, settings among the job's arguments would have no effect.
            settings = take_settings(NAME, job_arguments)[0] or settings
            return job_commands.run_job(options.job, job_arguments, settings_module=_settings_module(settings))
        case "new-job":
            return job_commands.write_new_job(options.name, folder=options.folder)
        case _:
            parser.print_help()
            return EXIT_CANNOT_RUN


def _settings_module(given: str) -> str:
    """Return the settings to use, if there are any. Modules are also found in the current folder."""
    find_modules_in_current_folder()
    return given or os.environ.get("DJANGO_SETTINGS_MODULE", "") or manage_py_default()


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of all arguments.

    It does not parse `--settings`, which is only in its help.
    """
    settings_parser = OneLineErrorParser(add_help=False)
    add_settings_option(settings_parser, default="")
    description = "Runs the jobs that load files, objects and records into PostgreSQL."
    parser = OneLineErrorParser(prog=NAME, description=description, epilog=_EPILOG, parents=[settings_parser])
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="{list,run,new-job}")
    list_parser = commands.add_parser("list", help="list the jobs with their descriptions", parents=[settings_parser])
    list_parser.add_argument("--json", action="store_true", help="print one JSON document and nothing else")
    usage = f"{NAME} run [-h] [--settings MODULE] JOB [-- ARGS ...]"
    run_help = "run a job and exit with its exit code"
    run_parser = commands.add_parser("run", help=run_help, parents=[settings_parser], usage=usage)
    run_parser.add_argument("job", metavar="JOB", help=f"name of a job; see `{NAME} list`")
    arguments_help = "arguments of the job; -- --help shows them"
    arguments = run_parser.add_argument("arguments", metavar="ARGS", nargs=argparse.REMAINDER, help=arguments_help)
    arguments.required = False
    new_parser = commands.add_parser("new-job", help="write the module of a new job, for you to complete")
    new_parser.add_argument("name", metavar="NAME", help="name of the job and of its module, such as load_orders")
    new_parser.add_argument(
        "--folder", default="jobs", help="package for the module, created if missing (default: %(default)s)"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
