"""System checks of the loading lane."""

from collections.abc import Sequence
from typing import Any

from django.apps import apps
from django.core import checks

from data_pipeline import conf
from data_pipeline.errors import JobError, MalformedJob
from data_pipeline.services.job_discovery import find_job_packages
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


@checks.register
def check_jobs(**_: Any) -> Sequence[checks.CheckMessage]:
    """Return E002 for a malformed `JOB`, W002 for another job that cannot be used, unless E001 applies."""
    return [] if check_settings() else [_job_message(error) for error in find_job_packages().load_all()[1]]


def _job_message(error: JobError) -> checks.CheckMessage:
    hint = "See docs/how-to/add-a-job.md. `data-pipeline list` has the jobs that can be used."
    if isinstance(error, MalformedJob):
        return checks.Error(str(error), hint=hint, id="data_pipeline.E002")
    return checks.Warning(str(error), hint=hint, id="data_pipeline.W002")
