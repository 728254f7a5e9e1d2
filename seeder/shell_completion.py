"""Completes the words of `reporting-seeder` in a shell, with argcomplete. It never runs a job.

`manage.py` is not completed: argcomplete runs the script, and Django would run each command that does not know it.
"""

import argparse
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from itertools import pairwise

from seeder.errors import SeederError
from seeder.services.extras import COMPLETION, problem

REQUESTED = "_ARGCOMPLETE" in os.environ

Words = Iterable[str]


def complete(parser: argparse.ArgumentParser, *, start_django: Callable[[str], None]) -> None:
    """Complete the words that argcomplete's shell function passes, and end the process.

    `parser` is that of the script. The arguments of a job, after `--`, are completed by the job's own parser, with
    agencies, views and runs from the database. `start_django` gets the value of `--settings`, or an empty text.
    """
    if problem(COMPLETION, "Shell completion") is not None:
        sys.exit(1)
    import argcomplete
    from argcomplete.lexers import split_line

    *_, words, _ = split_line(os.environ["COMP_LINE"], int(os.environ["COMP_POINT"]))
    given = dict(pairwise(words))
    with suppress(SeederError):  # then options are completed, but no names
        start_django(given.get("--settings", ""))
        if "--" in words and (job := given.get("run")):
            os.environ["_ARGCOMPLETE"] = str(words.index("--") + 1)  # the word that stands for the script's name
            parser = _job_parser(job)
        else:
            _add_completers(parser, {"JOB": _jobs, "ARGS": lambda _: ["--"]})
    argcomplete.autocomplete(parser, always_complete_options=False)


def _job_parser(name: str) -> argparse.ArgumentParser:
    from seeder.services.command_discovery import find_job
    from seeder.services.read_models import completion_words

    parser = find_job(name).create_parser("reporting-seeder run", name)
    completers = {
        "SLUG": completion_words.agencies,
        "SCHEMA.TABLE": completion_words.views,
        "RUN": completion_words.runs,
        "REQUEST": completion_words.open_requests,
    }
    _add_completers(parser, completers)
    return parser


def _jobs(prefix: str) -> Words:
    from seeder.services.command_discovery import discover_jobs

    return [name for name in discover_jobs()[0] if name.startswith(prefix)]


def _add_completers(parser: argparse.ArgumentParser, completers: Mapping[str, Callable[[str], Words]]) -> None:
    """Give the arguments with these metavars completers, also those of subcommands."""
    for action in parser._actions:  # noqa: SLF001  # argparse has no public list of them, and argcomplete reads it, too
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001
            for subparser in action.choices.values():
                _add_completers(subparser, completers)
        elif isinstance(action.metavar, str) and (words := completers.get(action.metavar)):
            action.completer = _completer(words)  # type: ignore[attr-defined]  # argcomplete looks for this attribute


def _completer(words: Callable[[str], Words]) -> Callable[..., Words]:
    """Return a completer as argcomplete calls it."""
    return lambda prefix, **_: words(prefix)
