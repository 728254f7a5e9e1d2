"""How the queue is told that there is something to do, and what it says of itself.

Nothing is decided by what the queue holds: a doorbell that is lost is rung again, one that rings twice finds the part
taken up already.
"""

from collections.abc import Iterator
from datetime import timedelta

from django.apps import apps
from django.db import DEFAULT_DB_ALIAS, connections, router

from seeder import conf
from seeder.domain.queue import queue_settings_rules
from seeder.domain.queue.queue_settings_rules import QueueSettingsProblem
from seeder.errors import QueueMisconfigured, QueueMissing
from seeder.services.event_logger import WARNING, log_event
from seeder.services.queue import part_rows

REFRESH_TASK = "seeder.tasks.refresh_queued"
_NOT_INSTALLED = "django_q is not among INSTALLED_APPS"
CAPTURE_TASK = "seeder.tasks.capture_release_snapshot"

# Before the queue's own time limit, which would end a task in the middle of a statement that then goes on alone. A run
# that is asked to stop ends within two seconds; a server under load gets some more.
_MARGIN = timedelta(seconds=30)


def require_queue() -> None:
    """Raises `QueueMissing` where nobody would hear it."""
    why = _why_unavailable()
    if why is not None:
        raise QueueMissing(problem=why)


def require_app() -> None:
    """Raises `QueueMissing` where there is not even the app. Asks no database, which may be up later."""
    if not is_installed():
        raise QueueMissing(problem=_NOT_INSTALLED)


def require_settings() -> None:
    """Raises `QueueUnfit` where a cluster would run tasks twice, lose them or hang. Asks no database."""
    for fault in settings_problems(conf.load()):
        if fault.is_error:
            raise QueueMisconfigured(problem=fault.message, hint=fault.hint)


def is_installed() -> bool:
    """Whether there should be a queue. Asks no database."""
    return apps.is_installed("django_q")


def is_available() -> bool:
    return _why_unavailable() is None


def _why_unavailable() -> str | None:
    if not is_installed():
        return _NOT_INSTALLED
    from django_q.models import Schedule

    tables = connections[router.db_for_read(Schedule)].introspection.table_names()
    return None if Schedule._meta.db_table in tables else "the queue has no tables; `manage.py migrate` creates them"


def dispatch_part(part_id: int) -> None:
    """Tell the queue of a part. To be called when its row is committed: a worker may be there at once. Where the queue
    cannot be told just now, the next sweep does."""
    from django_q.tasks import async_task  # here, as it reads its settings and warns where there are none

    try:
        async_task(REFRESH_TASK, part_id)
    except Exception as error:  # noqa: BLE001  # a broker raises what its library does; the part is queued all the same
        # What a broker says may hold where it is and how to get in; the part is rung for again.
        log_event(WARNING, "dispatch_failed", part=part_id, reason=type(error).__name__)
    else:
        part_rows.mark_dispatched(part_id)


def dispatch_capture(table_name: str, release_tag: str, **options: object) -> None:
    """Tell the queue of a release snapshot to take. The task says it all, and taken twice it does nothing the second
    time. Raises `QueueMissing` where the queue cannot be told: nothing else knows of it."""
    from django_q.tasks import async_task

    try:
        async_task(CAPTURE_TASK, table_name, release_tag, **options)
    except Exception as error:  # a broker raises what its library does
        raise QueueMissing(problem=f"the queue cannot be told: {error}") from error


def backlog_size() -> int:
    """How many tasks, of whatever kind, no cluster has taken yet."""
    from django_q.brokers import get_broker

    return int(get_broker().queue_size() or 0)


def time_limit() -> timedelta | None:
    """After which a task should have ended by itself; None where the queue lets it go on for as long as it takes."""
    from django_q.conf import Conf

    if not Conf.TIMEOUT:
        return None
    limit = timedelta(seconds=Conf.TIMEOUT)
    return max(limit - _MARGIN, limit * 3 / 4)


def settings_problems(settings: conf.Settings) -> Iterator[QueueSettingsProblem]:
    """What is wrong with the settings of the queue; nothing where there is none."""
    if not is_installed():
        return iter(())
    return queue_settings_rules.queue_settings_problems(
        conf.django_q_settings(),
        statement_timeout=timedelta(milliseconds=settings.statement_timeout_ms),
        uses_connection_pool="pool" in connections[DEFAULT_DB_ALIAS].settings_dict.get("OPTIONS", {}),
    )
