"""Schedules of the installed apps as rows of django-q2, told apart by the prefix of their names."""

from ast import literal_eval
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial, reduce
from operator import or_
from typing import Any

from django.apps import apps
from django.db import DEFAULT_DB_ALIAS
from django.db.models import Q, QuerySet

from seeder.domain import lock_keys
from seeder.domain.cron_schedule import CronSchedule
from seeder.errors import BadCron, NotSchedulable
from seeder.postgres import advisory_locks
from seeder.postgres.sqlstates import translate_database_errors
from seeder.postgres.transactions import atomic, rolled_back_atomic
from seeder.services import extras
from seeder.services.queue import dispatch
from seeder.texts import Text

MAX_LENGTH = 100  # characters of a name and of a cron expression, in the queue's tables


@dataclass(frozen=True, kw_only=True, slots=True)
class ScheduleStatus:
    """A schedule of an installed app in the queue."""

    name: str
    action: str | None = None  # added, changed, kept or removed, by a synchronization
    cron: str | None  # None if it has no cron expression
    due: datetime | None  # None if it is never due again

    @property
    def name_with_cron(self) -> str:
        """The name, with the cron expression if it has one."""
        return f"{self.name} ({self.cron})" if self.cron else self.name


@dataclass(frozen=True, kw_only=True, slots=True)
class DeclaredSchedule:
    """A schedule at the times of `cron`, or every few minutes."""

    name: str
    task: str  # its dotted path
    arguments: tuple[object, ...] = ()
    cron: str | None = None
    minutes: int | None = None
    keeps_result: bool = True

    @property
    def columns(self) -> Mapping[str, object]:
        """The columns of its row.

        Django-q2 reads arguments as a Python literal. If it cannot read them, it calls the task without any.
        """
        return {
            "func": self.task,
            "args": repr(self.arguments) if self.arguments else None,
            "kwargs": None if self.keeps_result else repr({"q_options": {"save": False}}),
            "schedule_type": "I" if self.cron is None else "C",
            "minutes": self.minutes,
            "cron": self.cron,
            "repeats": -1,
            "hook": None,
            "cluster": None,
            "intended_date_kwarg": None,
        }


def own_prefixes() -> tuple[str, ...]:
    """Return the prefix of each installed app whose AppConfig `has_schedules`. Other schedules are never changed."""
    return tuple(prefix_of(app.label) for app in apps.get_app_configs() if getattr(app, "has_schedules", False))


def prefix_of(app_label: str) -> str:
    """Return how the names of an app's schedules begin."""
    return f"{app_label}: "


def own_rows(*prefixes: str) -> "QuerySet[Any]":
    """Return the rows whose names begin with one of these prefixes."""
    from django_q.models import Schedule  # importing it warns if the host has no queue

    rows: QuerySet[Any] = Schedule.objects.filter(reduce(or_, (Q(name__startswith=prefix) for prefix in prefixes)))
    return rows


def is_usable() -> bool:
    """Return whether the queue and its extra are installed. Uses no database."""
    return dispatch.is_installed() and not extras.problem(extras.QUEUE, Text("A schedule"))


def require_queue() -> None:
    """Raise `QueueMissing`, `ExtraMissing` or `DatabaseError` if nothing can be scheduled."""
    with translate_database_errors(DEFAULT_DB_ALIAS):
        dispatch.require_queue()
    extras.require(extras.QUEUE, Text("A schedule"))


def require_valid(problems: Iterable[NotSchedulable]) -> None:
    """Raise the first problem."""
    for problem in problems:
        raise problem


def cron_problems(crons: Mapping[str, str]) -> Iterator[NotSchedulable]:
    """Yield the problem of each invalid cron expression, by the name of its setting."""
    for setting, cron in crons.items():
        if len(cron) > MAX_LENGTH:
            yield NotSchedulable(
                setting=setting, value=cron, problem=Text("the queue keeps {most} characters of it", most=MAX_LENGTH)
            )
            continue
        try:
            CronSchedule(cron)
        except BadCron as error:
            yield NotSchedulable(setting=setting, value=cron, problem=error.facts["problem"])


def sync_rows(prefix: str, declared: Iterable[DeclaredSchedule], *, dry_run: bool = False) -> Sequence[ScheduleStatus]:
    """Make the rows with this prefix match the declared schedules. An unchanged row keeps its next due time.

    Raises `DatabaseError`.
    """
    transaction = rolled_back_atomic(DEFAULT_DB_ALIAS) if dry_run else atomic(durable=True)
    with translate_database_errors(DEFAULT_DB_ALIAS), transaction:
        advisory_locks.lock(DEFAULT_DB_ALIAS, lock_keys.ENQUEUE)
        changes = [_sync_row(schedule.name, schedule.columns) for schedule in declared]
        undeclared = own_rows(prefix).exclude(name__in=[change.name for change in changes])
        removed = {row.name: row.cron for row in undeclared.order_by("id")}
        undeclared.delete()
    return [*changes, *(ScheduleStatus(name=name, action="removed", cron=removed[name], due=None) for name in removed)]


def _sync_row(name: str, columns: Mapping[str, object]) -> ScheduleStatus:
    """Make one row match the declared columns, and delete the others of this name."""
    from django_q.models import Schedule

    rows = Schedule.objects.filter(name=name).order_by("id")
    row, action = rows.filter(**columns).first(), "kept"
    if row is None:
        row, action = (rows.first(), "changed") if rows else (Schedule(name=name), "added")
        for column, value in columns.items():
            setattr(row, column, value)
        row.next_run = row.calculate_next_run()
        row.save()
    rows.exclude(pk=row.pk).delete()
    return ScheduleStatus(name=name, action=action, cron=row.cron, due=row.next_run)


def correct_next_runs(*, instance: Any, **_: object) -> None:
    """Correct how a schedule of the queue computes its next time. A receiver of `post_init`.

    Django-q2 computes local times: those of the hour that the clocks repeat come twice, and as it compares them without
    their offset, it computes them again and again for up to an hour, in which no schedule of any app runs.
    """
    instance.calculate_next_run = partial(_next_run, instance)


def _next_run(row: Any, next_run: datetime | None = None) -> datetime:
    """Return the next time in UTC: of a cron expression by `CronSchedule`, otherwise by django-q2."""
    from django_q.utils import localtime  # in the time zone of Q_CLUSTER

    if row.schedule_type == row.CRON:
        with suppress(BadCron):  # django-q2 allows more
            return CronSchedule(row.cron).next(localtime()).astimezone(UTC)
    computed: datetime = type(row).calculate_next_run(row, next_run)
    return computed.astimezone(UTC)


def unreadable_schedules() -> Iterator[str]:
    """Yield schedules whose arguments do not parse, of any app.

    Django-q2 reads all due schedules in one transaction and stops at the first error, so that none of them runs.
    """
    from django_q.models import Schedule

    for row in Schedule.objects.exclude(args__isnull=True).exclude(args="").order_by("pk"):
        try:
            literal_eval(row.args)
        except (SyntaxError, ValueError, TypeError, MemoryError, RecursionError):
            yield (
                Text(
                    "The arguments of the schedule {name!r} (id {id}) cannot be read: once it is due, the queue runs no"
                    " schedule at all. Correct or delete it in the admin of django-q2.",
                    name=row.name or row.pk,
                    id=row.pk,
                )
            )
