"""The app's configuration: its system checks, rescuers, metrics and doctor checks."""

from collections.abc import Sequence
from types import ModuleType
from typing import ClassVar

from django.apps import AppConfig
from django.conf import settings
from django.db.backends.signals import connection_created
from django.db.models.signals import post_init

from seeder.errors import ExtraMissing
from seeder.services import extras


class SeederConfig(AppConfig):
    """What other parts of a project find through Django's app registry."""

    name = "seeder"
    verbose_name = "Reporting seeder"

    # Dotted paths of functions that resume stalled work of the queue; `watch_queue` runs those of every installed app.
    rescuers: ClassVar[Sequence[str]] = ("seeder.services.queue.rescue.rescue_stalled_parts",)

    # Whether the app has schedules, whose names begin with its label. Those of every such app fire once for each local
    # time, also when the clocks change.
    has_schedules: ClassVar[bool] = True

    # Dotted paths of functions that raise an expected error if a cluster must not start; `watch_queue` calls those of
    # every installed app.
    queue_preconditions: ClassVar[Sequence[str]] = ("seeder.services.queue.schedules.require_valid_schedules",)

    # Dotted paths of functions that yield Prometheus metrics. The metrics endpoint shows those of every installed app.
    metric_collectors: ClassVar[Sequence[str]] = ("seeder.probes.prometheus_collector.collect_metrics",)

    # Dotted paths of functions that tell which loads views contain. Pages, commands and the API show those of every
    # installed app.
    as_of_providers: ClassVar[Sequence[str]] = ()

    # Dotted paths of functions that get a request and the id of a load, and return the URL of its page, or None. The
    # page of a view calls those of every installed app.
    load_urls: ClassVar[Sequence[str]] = ()

    # Dotted paths of functions that find changes to notify. `send_notifications` calls those of every installed app.
    alert_observers: ClassVar[Sequence[str]] = ()

    # Dotted paths of functions that find problems in a database; `doctor` runs those of every installed app.
    doctor_checks: ClassVar[Sequence[str]] = (
        "seeder.services.doctor.checks.server_and_role.check",
        "seeder.services.doctor.checks.breaker_state.check",
        "seeder.services.doctor.checks.contract_tables.check",
        "seeder.services.doctor.checks.manifest_rows.check",
        "seeder.services.doctor.checks.data_check_rows.check",
        "seeder.services.doctor.checks.schema_privileges.check",
        "seeder.services.doctor.checks.view_state.check",
        "seeder.services.doctor.checks.missing_and_drifted_views.check",
        "seeder.services.doctor.checks.unlockable_inputs.check",
        "seeder.services.doctor.checks.unknown_dependencies.check",
        "seeder.services.doctor.checks.search_path_functions.check",
        "seeder.services.doctor.checks.invalid_indexes.check",
        "seeder.services.doctor.checks.concurrent_refresh_costs.check",
        "seeder.services.doctor.checks.consistent_groups.check",
        "seeder.services.doctor.checks.unlisted_views.check",
        "seeder.services.doctor.checks.queue_setup.check",
        "seeder.services.doctor.checks.notifications.check",
        "seeder.services.doctor.checks.host_settings.check",
        "seeder.services.doctor.checks.statement_statistics.check",
    )

    def __init__(self, app_name: str, app_module: ModuleType | None) -> None:
        """Raise `ExtraMissing` before Django imports an app or a database driver that is not installed."""
        super().__init__(app_name, app_module)
        for app in settings.INSTALLED_APPS:
            if (error := extras.import_problem(app)) is not None:
                raise error
        try:
            import psycopg  # noqa: F401  # importing it loads libpq
        except ImportError as error:
            facts = {"feature": "psycopg without the libpq of the system", "distribution": "psycopg-binary"}
            raise ExtraMissing(**facts, extra="psycopg-binary") from error

    def ready(self) -> None:
        from seeder import checks  # noqa: F401  # importing it registers the system checks
        from seeder.postgres.session_formats import pin_formats
        from seeder.services.queue import dispatch, schedule_rows

        connection_created.connect(pin_formats)
        if dispatch.is_installed():
            post_init.connect(schedule_rows.correct_next_runs, sender="django_q.Schedule")
