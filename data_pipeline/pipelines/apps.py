"""The app's configuration."""

from django.apps import AppConfig, apps

from data_pipeline.pipelines.errors import PipelinesMissing


class PipelinesConfig(AppConfig):
    """Installed by hosts that want the example pipelines.

    It has their tables, commands and jobs.
    """

    name = "data_pipeline.pipelines"
    label = "data_pipeline_pipelines"
    verbose_name = "Data pipelines"
    default_auto_field = "django.db.models.BigAutoField"


def require_installed() -> None:
    """Raise `PipelinesMissing` if the host has not installed this app."""
    if not apps.is_installed(PipelinesConfig.name):
        raise PipelinesMissing
