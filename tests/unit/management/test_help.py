"""The help of commands."""

import re
import shlex

import pytest
from django.core.management import get_commands, load_command_class

from seeder.management.base_command import SeederCommand
from tests.architecture.markdown import page_text

COMMANDS = {
    name: command
    for name, app in get_commands().items()
    if app.startswith(("seeder", "data_pipeline"))
    if isinstance(command := load_command_class(app, name), SeederCommand)
}


@pytest.mark.parametrize("name", COMMANDS)
def test_help_has_examples_that_parse_and_a_link(name: str) -> None:
    command = COMMANDS[name]
    parser = command.create_parser("manage.py", name)
    for example in command.examples:
        parser.parse_args(shlex.split(example))
    shown = parser.format_help()
    assert shown.count(f"\n  manage.py {name}") == len(command.examples)
    assert "\nexit codes: 0 success, " in shown
    assert shown.endswith(f"/docs/reference/commands.md#{name}\n")
    assert re.search(f"^## {name}$", page_text("reference/commands.md"), re.MULTILINE)
