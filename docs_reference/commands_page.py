"""docs/reference/commands.md: the options of every command of the apps, and of the script `data-pipeline`."""

import argparse
import re
from collections.abc import Iterable, Iterator
from typing import Any

from django.core.management import get_commands, load_command_class
from django.core.management.base import BaseCommand

from data_pipeline.cli.main import NAME as SCRIPT
from data_pipeline.cli.main import build_parser
from data_pipeline.jobs import get_s3_files
from docs_reference.markdown_text import code, page, table
from seeder.management.base_command import SeederCommand

_INTRO = (
    "Commands run as `manage.py NAME`; jobs also run as `reporting-seeder run NAME`. Django's own options are left out."
)


_APPS = {"seeder", "data_pipeline", "data_pipeline.pipelines"}
_SCRIPT = "Finds and runs [jobs](../how-to/add-a-job.md). An option that is none of these runs the default job."
_GET_S3_FILES = (
    "The job that [transforms objects](../how-to/transform-objects.md) from bronze to silver, also as the script"
    " `data-pipeline-get-s3-files`."
)


def render() -> str:
    """Return the page."""
    blocks = list[str]()
    for name, app in sorted(get_commands().items()):
        if app in _APPS:
            command = load_command_class(app, name)
            effect = " ".join(command.help.split()) + (" *(job)*" if _is_job(command) else "")
            blocks += _command_blocks(f"## {name}", effect, _own_actions(command))
            blocks += _example_blocks(command)
    return page("Commands", _INTRO, *blocks, *_script_blocks())


def _example_blocks(command: BaseCommand) -> Iterator[str]:
    if isinstance(command, SeederCommand) and command.examples:
        lines = (f"manage.py {command.name} {example}".rstrip() for example in command.examples)
        yield "\n".join(["```sh", *lines, "```"])


def _command_blocks(heading: str, effect: str, actions: Iterable[argparse.Action]) -> Iterator[str]:
    yield heading
    yield effect
    if rows := [_row(action) for action in actions]:
        yield table(("argument", "effect"), rows)


def _script_blocks() -> Iterator[str]:
    """Yield the section of the script, and those of its commands."""
    *actions, commands = _without_help(build_parser())
    yield from _command_blocks(f"## {SCRIPT}", _SCRIPT, actions)
    effects = {action.dest: action.help or "" for action in commands._choices_actions}  # type: ignore[attr-defined]  # noqa: SLF001
    for name, parser in commands.choices.items():  # type: ignore[union-attr]  # they are commands
        yield from _command_blocks(f"### {SCRIPT} {name}", f"{effects[name].capitalize()}.", _without_help(parser))
    yield from _command_blocks(f"### {get_s3_files.NAME}", _GET_S3_FILES, _without_help(get_s3_files.build_parser()))


def _without_help(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    return [action for action in parser._actions if action.dest != "help"]  # noqa: SLF001


def _is_job(command: Any) -> bool:
    return bool(getattr(command, "is_job", False))


def _own_actions(command: BaseCommand) -> list[argparse.Action]:
    """Return the arguments that are not Django's."""
    base = {action.dest for action in BaseCommand().create_parser("manage.py", "base")._actions}  # noqa: SLF001
    own = command.create_parser("manage.py", "own")._actions  # noqa: SLF001
    return [action for action in own if action.dest not in base and action.help != argparse.SUPPRESS]


def _row(action: argparse.Action) -> tuple[str, str]:
    """Return the argument and its help text."""
    value = ""
    if action.dest == "database":
        value = "ALIAS"  # its choices are the host's databases
    elif action.nargs != 0:
        value = str(action.metavar or ("|".join(map(str, action.choices)) if action.choices else action.dest.upper()))
    names = [f"{name} {value}".strip() for name in action.option_strings] or [value]
    help_text = re.sub(r"%\((\w+)\)s", lambda match: str(getattr(action, match[1])), action.help or "")
    return ", ".join(map(code, names)), help_text.replace("%%", "%")
