"""The console script `reporting-seeder`, the one entry point of a container: names the jobs, and runs one of them.

Its help has no Django behind it, and its list no database. A job is run in this process, so that signals reach it, and
ends with its own exit code.
"""

import argparse
import json
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from seeder import __version__
from seeder.errors import SeederError, SettingsMissing
from seeder.services.starting import bootstrap_django

_NAME = "reporting-seeder"
_WRONG_REQUEST = 2


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """One line; argparse would print the whole usage before it."""
        self.exit(_WRONG_REQUEST, f"{self.prog}: {message}. See {self.prog} --help\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code, unless a job ends the process with its own."""
    parser = _parser()
    given = list(sys.argv[1:] if arguments is None else arguments)
    # Cut here, because argparse drops one `--` or another, by its version.
    cut = given.index("--") if "--" in given else len(given)
    asked = parser.parse_args(given[:cut])
    if not asked.verb:
        parser.print_help()
        return _WRONG_REQUEST
    own = _own(asked, given[cut:]) if asked.verb == "run" else []
    try:
        _start(_named(own) or asked.settings)
        return _list(as_json=asked.json) if asked.verb == "list" else _run(asked.job, own)
    except SeederError as error:
        sys.stderr.write(f"{_NAME}: {error}\n")
        return _WRONG_REQUEST


def _parser() -> argparse.ArgumentParser:
    settings = _Parser(add_help=False)
    _add_settings(settings, default=argparse.SUPPRESS)  # so that what is said before the verb is not undone
    parser = _Parser(prog=_NAME, description="Keeps PostgreSQL materialized views fresh.")
    _add_settings(parser, default=os.environ.get("DJANGO_SETTINGS_MODULE", ""))
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    verbs = parser.add_subparsers(dest="verb", metavar="{list,run}")
    of_list = verbs.add_parser("list", help="name the jobs, with what each does", parents=[settings])
    of_list.add_argument("--json", action="store_true", help="print one JSON document and nothing else")
    usage = f"{_NAME} run [-h] [--settings MODULE] JOB [-- ARGS ...]"
    of_run = verbs.add_parser("run", help="run a job, and end with its exit code", parents=[settings], usage=usage)
    of_run.add_argument("job", metavar="JOB", help=f"one that `{_NAME} list` names")
    own = of_run.add_argument(
        "arguments", metavar="ARGS", nargs=argparse.REMAINDER, help="the job's; -- --help shows which"
    )
    own.required = False
    return parser


def _add_settings(parser: argparse.ArgumentParser, *, default: str) -> None:
    said = "Django's settings; else DJANGO_SETTINGS_MODULE says which"
    parser.add_argument("--settings", metavar="MODULE", default=default, help=said)


def _own(asked: argparse.Namespace, rest: Sequence[str]) -> Sequence[str]:
    """The arguments of the job."""
    return [*asked.arguments, *rest] if asked.arguments else rest[1:]


def _named(own: Sequence[str]) -> str:
    """The settings that are named among the job's arguments, as manage.py takes them; later nobody would."""
    parser = _Parser(prog=_NAME, add_help=False, allow_abbrev=False)
    _add_settings(parser, default="")
    return str(parser.parse_known_args(own)[0].settings)


def _start(settings_module: str) -> None:
    """As manage.py does: modules are found in the current folder, too."""
    if not settings_module:
        raise SettingsMissing
    here = str(Path.cwd())
    if here not in sys.path and "" not in sys.path:
        sys.path.insert(0, here)
    bootstrap_django(settings_module)


def _list(*, as_json: bool) -> int:
    from seeder.services.offered_jobs import app_of, description, offered

    found = offered()
    if as_json:
        jobs = [
            {"name": name, "description": description(command), "app": app_of(command)}
            for name, command in found.jobs.items()
        ]
        sys.stdout.write(json.dumps({"jobs": jobs}, indent=2, ensure_ascii=False) + "\n")
    else:
        width = max(map(len, found.jobs), default=0)
        for name, command in found.jobs.items():
            sys.stdout.write(f"{name:{width}}  {description(command)}".rstrip() + "\n")
    for broken in found.unusable:
        sys.stderr.write(f"{_NAME}: {broken}\n")
    return 0


def _run(name: str, own: Sequence[str]) -> int:
    """Django's own way to run a command from a command line, which ends the process where it fails."""
    from django.core.exceptions import ImproperlyConfigured

    from seeder.services.offered_jobs import job

    _end_when_told()
    try:
        job(name).run_from_argv([f"{_NAME} run", name, *own])
    except ImproperlyConfigured as error:  # it says what to do; where it was noticed does not help anybody
        sys.stderr.write(f"{_NAME}: {error}\n")
        return _WRONG_REQUEST
    return 0


def _end_when_told() -> None:
    """The first process of a container is kept from any signal that it has no handler for, as a job may have none."""
    if os.getpid() == 1 and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))


if __name__ == "__main__":
    sys.exit(main())
