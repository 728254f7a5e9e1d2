"""docs/reference/commands.md: the options of every command of the app."""

import argparse
import re
from typing import Any

from django.core.management import get_commands, load_command_class
from django.core.management.base import BaseCommand

from docs_reference.markdown_text import code, page, table

_INTRO = (
    "Commands run as `manage.py NAME`; jobs also run as `reporting-seeder run NAME`. Django's own options are left out."
)


def render() -> str:
    """Return the page."""
    blocks = []
    for name in sorted(name for name, app in get_commands().items() if app == "seeder"):
        command = load_command_class("seeder", name)
        blocks += [f"## {name}", " ".join(command.help.split()) + (" *(job)*" if _is_job(command) else "")]
        rows = [_row(action) for action in _own_actions(command)]
        if rows:
            blocks.append(table(("argument", "effect"), rows))
    return page("Commands", _INTRO, *blocks)


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
