"""The queue, and the settings that name objects of the host project."""

from collections.abc import Iterator
from functools import partial

from seeder.domain.doctor.diagnosis import Diagnosis, Problem
from seeder.errors import ConfigurationError, QueueMissing
from seeder.services import extras
from seeder.services.doctor.check_context import CheckContext
from seeder.services.queue import dispatch, part_rows, schedules
from seeder.services.read_models import agency_scope


def check_queue(context: CheckContext) -> Iterator[Diagnosis]:
    """Report wrong settings of the queue and problems that stop it.

    Reports nothing if no queue is installed.
    """
    if not dispatch.is_installed():
        return
    one = partial(Diagnosis, database=context.alias)
    if missing := extras.problem(extras.QUEUE, "The queue"):
        yield one(
            problem=Problem.QUEUE_FAULT,
            subject="INSTALLED_APPS",
            message=f"{missing} (seeder.E017).",
            fix="Install the extra, or remove 'django_q'.",
        )
    for setting, cron, why in schedules.schedule_problems(context.settings):
        yield one(
            problem=Problem.QUEUE_FAULT,
            subject=setting,
            message=f"It is {cron!r}, which means no time: {why} (seeder.E007).",
            fix="Correct it, and run `manage.py schedule_refreshes`.",
        )
    for fault in dispatch.settings_problems(context.settings):
        yield one(
            problem=Problem.QUEUE_FAULT if fault.is_error else Problem.QUEUE_RISK,
            subject="DATABASES" if fault.message.startswith("DATABASES") else "Q_CLUSTER",
            message=f"{fault.message.rstrip('.')} ({fault.check_id}).",
            fix=fault.hint,
        )
    try:
        part_rows.require_table()
        dispatch.require_queue()
    except QueueMissing as missing:
        yield one(
            problem=Problem.QUEUE_MISSING,
            subject="the queue's tables",
            message=str(missing),
            fix="Do without the queue, or run `manage.py install_schema` and `manage.py migrate`.",
        )
    else:
        for sentence in schedules.unreadable_schedules():
            yield one(
                problem=Problem.QUEUE_BLOCKED,
                subject="django-q2's schedules",
                message=sentence,
                fix="Correct or delete it.",
            )


def check_settings(context: CheckContext) -> Iterator[Diagnosis]:
    """Report settings that name a missing callable or model."""
    try:
        agency_scope.validate_settings()
    except ConfigurationError as error:
        yield Diagnosis(
            problem=Problem.SETTING_WRONG,
            database=context.alias,
            subject=str(error.facts["setting"]),
            message=str(error),
            fix="Correct it in the host's settings; until then the API and the pages deny all requests.",
        )
