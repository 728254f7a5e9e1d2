"""The app's configuration: its system checks, rescuers, metrics and doctor checks."""

from collections.abc import Sequence
from typing import ClassVar

from django.apps import AppConfig
from django.db.backends.signals import connection_created


class DataPipelineConfig(AppConfig):
    """What other parts of a project find through Django's app registry."""

    name = "data_pipeline"
    verbose_name = "Data pipeline"
    default_auto_field = "django.db.models.BigAutoField"

    metric_collectors: ClassVar[Sequence[str]] = ("data_pipeline.probes.prometheus_collector.collect_metrics",)
    rescuers: ClassVar[Sequence[str]] = (
        "data_pipeline.services.load_requests.rescue_requests",
        "data_pipeline.services.dependent_refreshes.rescue_refreshes",
    )
    has_schedules: ClassVar[bool] = True
    queue_preconditions: ClassVar[Sequence[str]] = ("data_pipeline.services.schedules.require_valid_schedules",)
    doctor_checks: ClassVar[Sequence[str]] = (
        "data_pipeline.services.doctor.load_tables.check",
        "data_pipeline.services.doctor.unfinished_loads.check",
        "data_pipeline.services.doctor.targets.check",
    )
    alert_observers: ClassVar[Sequence[str]] = ("data_pipeline.services.source_alerts.changed_sources",)
    as_of_providers: ClassVar[Sequence[str]] = ("data_pipeline.postgres.as_of.loads_in_views",)
    load_urls: ClassVar[Sequence[str]] = ("data_pipeline.admin.page_urls.visible_load",)

    def ready(self) -> None:
        from data_pipeline import checks  # noqa: F401  # importing it registers the system checks
        from data_pipeline.http.measurements import CALLS
        from data_pipeline.services.call_metrics import save_calls, save_calls_in_thread
        from seeder.postgres.session_formats import pin_formats

        CALLS.save, CALLS.save_in_thread = save_calls, save_calls_in_thread
        connection_created.connect(pin_formats)
