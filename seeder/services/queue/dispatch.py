"""Sends tasks to django-q2, and checks that it can run them. Independent of parts and views."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from datetime import timedelta

from django.apps import apps
from django.db import DEFAULT_DB_ALIAS, connections, router, transaction
from django.utils.module_loading import import_string

from seeder import conf
from seeder.domain.queue import queue_settings_rules
from seeder.domain.queue.queue_settings_rules import QueueSettingsProblem
from seeder.errors import QueueMisconfigured, QueueMissing
from seeder.postgres import sessions
from seeder.postgres.named_statements import STATEMENTS
from seeder.services import extras
from seeder.texts import Text

# A task ends by itself this long before the queue's time limit, which would kill it in the middle of a statement that
# the server then continues. A stopped run ends within two seconds; a loaded server needs more.
_MARGIN = timedelta(seconds=30)


def require_queue() -> None:
    """Raise `QueueMissing` if no task can be queued."""
    _require_installed()
    from django_q.models import Schedule

    table = {"name": Schedule._meta.db_table}
    [(has_table,)] = sessions.query(router.db_for_read(Schedule), STATEMENTS["is_found_unqualified"], table)
    if not has_table:
        raise QueueMissing(problem=Text("the queue has no tables; `manage.py migrate` creates them"))


def require_valid_settings() -> None:
    """Raise `QueueMisconfigured` if a cluster would repeat or lose tasks, or hang.

    Raises `QueueMissing` if django_q is not installed, and what the `queue_preconditions` of the installed apps raise,
    such as `ConfigurationError`. Uses no database, which may be down for now.
    """
    _require_installed()
    extras.require(extras.QUEUE, Text("The queue"))
    for problem in settings_problems(conf.load()):
        if problem.is_error:
            raise QueueMisconfigured(problem=problem.message, hint=problem.hint)
    for app in apps.get_app_configs():
        for path in getattr(app, "queue_preconditions", ()):
            import_string(path)()


def is_installed() -> bool:
    """Return whether django_q is installed. Uses no database."""
    return apps.is_installed("django_q")


def is_available() -> bool:
    try:
        require_queue()
    except QueueMissing:
        return False
    return True


def _require_installed() -> None:
    if not is_installed():
        problem = Text("django_q is not among INSTALLED_APPS")
        if missing := extras.problem(extras.QUEUE, Text("the queue")):
            problem = Text("{missing}, then add 'django_q' to INSTALLED_APPS", missing=str(missing))
        raise QueueMissing(problem=problem)


def dispatch(task: str, *arguments: object, **options: object) -> None:
    """Send a task to the queue, by its dotted path. Raises `QueueMissing` if the broker does not accept it."""
    from django_q.tasks import async_task

    try:
        with _kept_connection():
            async_task(task, *arguments, **options)
    except Exception as error:  # a broker raises what its library does
        raise QueueMissing(problem=Text("the broker refuses tasks: {error}", error=str(error))) from error


def backlog_size() -> int:
    """Return the number of tasks of any kind that no cluster has taken yet."""
    from django_q.brokers import get_broker

    with _kept_connection():
        return int(get_broker().queue_size() or 0)


def _kept_connection() -> AbstractContextManager[object]:
    """Outside of a transaction, the broker in the database would close all connections for each call."""
    from django_q.conf import Conf  # django-q2 reads its settings when it is imported

    return transaction.atomic(Conf.ORM) if Conf.ORM else nullcontext()


def time_limit() -> timedelta | None:
    """Return the time after which a task must end by itself, or None if the queue has no limit."""
    from django_q.conf import Conf

    if not Conf.TIMEOUT:
        return None
    limit = timedelta(seconds=Conf.TIMEOUT)
    return max(limit - _MARGIN, limit * 3 / 4)


def settings_problems(settings: conf.Settings) -> Iterator[QueueSettingsProblem]:
    """Yield the problems of the queue settings; nothing if django_q is not installed."""
    if is_installed():
        yield from queue_settings_rules.queue_settings_problems(
            conf.django_q_settings(),
            statement_timeout=timedelta(milliseconds=settings.statement_timeout_ms),
            uses_connection_pool="pool" in connections[DEFAULT_DB_ALIAS].settings_dict.get("OPTIONS", {}),
        )
