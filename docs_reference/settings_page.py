"""docs/reference/settings.md: every setting with its default, its values and its effect."""

import ast
import inspect
import re
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields
from itertools import pairwise
from typing import Any

from docs_reference.markdown_text import code, page, table
from seeder.conf import Settings
from seeder.errors import ConfigurationError

_INTRO = """A setting is read from the dictionary `SEEDER` in the host's settings, then from the environment
variable with the prefix `SEEDER_`, then from its default. An invalid value stops a command before any database
work, with one line that names it. Numbers are plain ASCII digits. Commands, `manage.py check` and the doctor warn
about a variable with this prefix that has no effect, such as a misspelt name."""

_EXAMPLE = """```python
SEEDER = {"MAX_WORKERS": 4}  # the same as SEEDER_MAX_WORKERS=4 in the environment
```"""

_UNITS = {"_MS": "ms", "_SECONDS": "s", "_HOURS": "h", "_DAYS": "d", "_MB": "MB"}


def render() -> str:
    """Return the page."""
    docstrings = _docstrings()
    rows = [_row(setting, docstrings[setting.name]) for setting in fields(Settings)]
    return page("Settings", _INTRO, _EXAMPLE, table(("setting", "default", "value", "effect"), rows))


def _docstrings() -> Mapping[str, str]:
    """Return the docstring below each setting. Python does not keep the docstrings of attributes."""
    [definition] = ast.parse(inspect.getsource(Settings)).body
    texts = {}
    for statement, following in pairwise(definition.body):  # type: ignore[attr-defined]  # it is a class
        if isinstance(statement, ast.AnnAssign):
            texts[ast.unparse(statement.target)] = " ".join(ast.literal_eval(following.value).split())
    return texts


def _row(setting: Field[Any], effect: str) -> tuple[str, str, str, str]:
    name, default = setting.name.upper(), getattr(Settings(), setting.name)
    unit = next((f", {unit}" for ending, unit in _UNITS.items() if name.endswith(ending)), "")
    if setting.default is MISSING:
        effect += " Not from the environment."
    return code(name), code(str(default).lower()), _expected(setting) + unit, effect


def _expected(setting: Field[Any]) -> str:
    """Return the accepted values, in the words of the refusal of a wrong one."""
    try:
        setting.metadata["read"]("", object())
    except ConfigurationError as error:
        return re.split(": | such as ", str(error.facts["expected"]))[0]
    raise AssertionError(setting.name)
