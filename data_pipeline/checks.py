"""System checks of the loading lane."""

from collections.abc import Sequence
from typing import Any

from django.apps import apps
from django.core import checks

from data_pipeline import conf
from seeder.errors import ConfigurationError


@checks.register
def check_settings(**_: Any) -> Sequence[checks.CheckMessage]:
    """Return E001 for an invalid setting."""
    try:
        conf.load()
    except ConfigurationError as error:
        return [checks.Error(str(error), hint="See docs/reference/settings.md.", id="data_pipeline.E001")]
    return []


@checks.register
def check_environment(**_: Any) -> Sequence[checks.CheckMessage]:
    """Return W001 for each environment variable that looks like a setting but has no effect."""
    hint = "Correct or remove it."
    return [checks.Warning(message, hint=hint, id="data_pipeline.W001") for _, message in conf.ignored_variables()]


@checks.register
def check_seeder(**_: Any) -> Sequence[checks.CheckMessage]:
    """Return I001 if no view is refreshed after a load, because `seeder` is not installed."""
    if apps.is_installed("seeder"):
        return []
    hint = "Add 'seeder' to INSTALLED_APPS, or set REFRESH_AFTER_LOAD to False."
    return [checks.Info("Loads refresh no views: 'seeder' is not installed.", hint=hint, id="data_pipeline.I001")]
