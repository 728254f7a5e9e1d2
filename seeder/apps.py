"""The app's configuration: its system checks, rescuers and metrics."""

from collections.abc import Sequence
from typing import ClassVar

from django.apps import AppConfig
from django.core.checks import Tags, register


class SeederConfig(AppConfig):
    """What other parts of a project find through Django's app registry."""

    name = "seeder"
    verbose_name = "Reporting seeder"
    default_auto_field = "django.db.models.BigAutoField"

    # Dotted paths of functions that resume stalled work of the queue; `watch_queue` runs those of every installed app.
    rescuers: ClassVar[Sequence[str]] = ("seeder.services.queue.rescue.rescue_stalled_parts",)

    # Dotted paths of functions that yield Prometheus metrics. The metrics endpoint shows those of every installed app.
    metric_collectors: ClassVar[Sequence[str]] = ("seeder.probes.prometheus_collector.collect_metrics",)

    def ready(self) -> None:
        from seeder import checks

        for check in (checks.check_settings, checks.check_agency_settings, checks.check_queue_settings):
            register(check)
        register(checks.check_models, Tags.models)
        register(checks.check_database, Tags.database)
