"""How the queue is told that there is something to do, and what it says of itself.

Nothing is decided by what the queue holds: a doorbell that is lost is rung again, one that rings twice finds the part
taken up already.
"""

from collections.abc import Iterator
from datetime import timedelta

from django.apps import apps
from django.db import DEFAULT_DB_ALIAS, connections

from seeder import conf
from seeder.domain import queue_settings
from seeder.domain.queue_settings import Fault
from seeder.errors import QueueMissing
from seeder.services import queue_rows

TASK = "seeder.tasks.refresh_queued"

# Before the queue's own time limit, which would end a task in the middle of a statement that then goes on alone. A run
# that is asked to stop ends within two seconds; a server under load gets some more.
_MARGIN = timedelta(seconds=30)


def insist() -> None:
    """Raises `QueueMissing` where nobody would hear it."""
    if not is_there():
        raise QueueMissing(why="django_q is not among INSTALLED_APPS")


def is_there() -> bool:
    return apps.is_installed("django_q")


def ring(part_id: int) -> None:
    """Tell the queue of a part. To be called when its row is committed: a worker may be there at once."""
    from django_q.tasks import async_task  # here, as it reads its settings and warns where there are none

    async_task(TASK, part_id)
    queue_rows.rung(part_id)


def waiting() -> int:
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


def faults(settings: conf.Settings) -> Iterator[Fault]:
    """What is wrong with the settings of the queue; nothing where there is none."""
    if not is_there():
        return iter(())
    return queue_settings.faults(
        conf.of_queue(),
        statement_limit=timedelta(milliseconds=settings.statement_timeout_ms),
        pooled="pool" in connections[DEFAULT_DB_ALIAS].settings_dict.get("OPTIONS", {}),
    )
