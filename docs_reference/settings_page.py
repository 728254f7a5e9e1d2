"""docs/reference/settings.md: every setting with its default, its values and its effect."""

import ast
import inspect
import re
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields
from itertools import pairwise
from typing import Any

from data_pipeline import conf as loading_conf
from data_pipeline.integration_settings import Integration
from data_pipeline.statistics_settings import StatisticsSettings
from docs_reference.markdown_text import code, page, table
from seeder import conf as refreshing_conf
from seeder.errors import ConfigurationError

_INTRO = """A setting is read from a dictionary in the host's settings, `SEEDER` for refreshing and `DATA_PIPELINE` for
loading. Otherwise it is read from the environment variable with that prefix, such as `SEEDER_MAX_WORKERS`; otherwise
its default applies. An invalid value stops a command before any database work, with one line that names it. Numbers are
plain ASCII digits. Commands, `manage.py check` and the doctor warn about a variable with such a prefix that has no
effect, such as a misspelt name."""

_EXAMPLE = """```python
SEEDER = {"MAX_WORKERS": 4}  # the same as SEEDER_MAX_WORKERS=4 in the environment
```"""

_INTEGRATIONS = """An integration is another system that is [called over HTTP](../how-to/call-an-external-api.md). Its
settings are in `DATA_PIPELINE["INTEGRATIONS"]` below its name, otherwise in environment variables with its name in
upper case first, such as `HELIUM10_BASE_URL`. Without a value, the setting with the prefix `HTTP_` applies."""

_STATISTICS = """[Statistics](../how-to/statistics.md) are rows of whitelisted views. Their settings are also in
`DATA_PIPELINE`."""

_UNITS = {"_MS": "ms", "_S": "s", "_SECONDS": "s", "_HOURS": "h", "_DAYS": "d", "_MB": "MB"}


def render() -> str:
    """Return the page."""
    refreshing, loading = _table(refreshing_conf.Settings), _table(loading_conf.Settings)
    integrations, statistics = _table(Integration), _table(StatisticsSettings)
    return page(
        "Settings",
        _INTRO,
        _EXAMPLE,
        "## Refreshing",
        refreshing,
        "## Loading",
        loading,
        "## Integrations",
        _INTEGRATIONS,
        integrations,
        "## Statistics",
        _STATISTICS,
        statistics,
    )


def _table(settings: type[Any]) -> str:
    docstrings = _docstrings(settings)
    own = [setting for setting in fields(settings) if setting.name in docstrings]  # without inherited ones
    rows = [_row(setting, settings(), docstrings[setting.name]) for setting in own]
    return table(("setting", "default", "value", "effect"), rows)


def _docstrings(settings: type[Any]) -> Mapping[str, str]:
    """Return the docstring below each setting. Python does not keep the docstrings of attributes."""
    [definition] = ast.parse(inspect.getsource(settings)).body
    texts = {}
    for statement, following in pairwise(definition.body):  # type: ignore[attr-defined]  # it is a class
        if isinstance(statement, ast.AnnAssign):
            texts[ast.unparse(statement.target)] = " ".join(ast.literal_eval(following.value).split())
    return texts


def _row(setting: Field[Any], defaults: object, effect: str) -> tuple[str, str, str, str]:
    name, default = setting.name.upper(), getattr(defaults, setting.name)
    unit = next((f", {unit}" for ending, unit in _UNITS.items() if name.endswith(ending)), "")
    if (variable := setting.metadata["variable"]) is not None:
        effect += f" Environment: `{variable}`."
    if setting.default is MISSING:
        effect += " Not from the environment."
    shown = ", ".join(map(str, default)) if isinstance(default, tuple) else str(default).lower()
    return code(name), code(shown), _expected(setting) + unit, effect


def _expected(setting: Field[Any]) -> str:
    """Return the accepted values, in the words of the refusal of a wrong one."""
    try:
        setting.metadata["read"]("", object())
    except ConfigurationError as error:
        return re.split(": | such as ", str(error.facts["expected"]))[0]
    raise AssertionError(setting.name)
