"""Schedules of the queue: declared in the settings, stored as django-q2 schedules."""

from ast import literal_eval
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import DEFAULT_DB_ALIAS
from django.db.models import Q, QuerySet

from seeder import conf
from seeder.domain import lock_keys
from seeder.domain.refresh_requests import AgencyReports
from seeder.errors import ConfigurationError
from seeder.postgres import advisory_locks
from seeder.postgres.sqlstates import translate_database_errors
from seeder.postgres.transactions import atomic, rolled_back_atomic
from seeder.services import extras, manifest_selection
from seeder.services.queue import dispatch

# The names of this app's schedules. Other schedules are never changed.
PREFIX = "seeder: "
_RESUME_MINUTES = 5
_LONGEST = 100  # characters of a name and of a cron expression, in the queue's tables


@dataclass(frozen=True, kw_only=True, slots=True)
class ScheduleStatus:
    """A schedule of this app in the queue."""

    name: str
    action: str | None = None  # added, changed, kept or removed, by a synchronization
    cron: str | None  # None if it has no cron expression
    due: datetime | None  # None if it is never due again


def sync_schedules(*, dry_run: bool = False) -> Sequence[ScheduleStatus]:
    """Make the queue's schedules match the settings. An unchanged schedule keeps its next due time.

    Raises `ConfigurationError`, `UnknownAgency`, `QueueMissing`, `ExtraMissing` or `DatabaseError`.
    """
    settings = conf.load()
    with translate_database_errors(DEFAULT_DB_ALIAS):
        dispatch.require_queue()
    extras.require(extras.QUEUE, "A schedule")
    for setting, cron, problem in schedule_problems(settings):
        raise ConfigurationError(setting=setting, value=cron, expected=f"a cron expression; {problem}")
    for slug in settings.agency_crons:
        manifest_selection.select(AgencyReports(slug=slug), databases=settings.databases)
    transaction = rolled_back_atomic(DEFAULT_DB_ALIAS) if dry_run else atomic(durable=True)
    with translate_database_errors(DEFAULT_DB_ALIAS), transaction:
        advisory_locks.lock(DEFAULT_DB_ALIAS, lock_keys.ENQUEUE)
        changes = [_sync_schedule(name, columns) for name, columns in _declared_schedules(settings)]
        undeclared = _own_schedules().exclude(name__in=[change.name for change in changes])
        removed = {row.name: row.cron for row in undeclared.order_by("id")}
        undeclared.delete()
    return [*changes, *(ScheduleStatus(name=name, action="removed", cron=removed[name], due=None) for name in removed)]


def _sync_schedule(name: str, columns: Mapping[str, object]) -> ScheduleStatus:
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


def _declared_schedules(settings: conf.Settings) -> Iterator[tuple[str, Mapping[str, object]]]:
    """Yield name and columns of each schedule that the settings declare."""
    if settings.nightly_cron:
        yield f"{PREFIX}every report", _columns("refresh_all", "any", cron=settings.nightly_cron)
    for slug, cron in settings.agency_crons.items():
        yield _of_agency(slug), _columns("refresh_agency", slug, cron=cron)
    # Its result is of no interest a minute later.
    yield f"{PREFIX}resume the queue", _columns("resume_queue", kwargs=repr({"q_options": {"save": False}}))


def _columns(task: str, *arguments: str, cron: str | None = None, kwargs: str | None = None) -> Mapping[str, object]:
    """Return the columns of a schedule: at the times of `cron`, or every few minutes.

    Django-q2 reads arguments as a Python literal. If it cannot read them, it calls the task without any.
    """
    return {
        "func": f"seeder.tasks.{task}",
        "args": repr(arguments) if arguments else None,
        "kwargs": kwargs,
        "schedule_type": "I" if cron is None else "C",
        "minutes": _RESUME_MINUTES if cron is None else None,
        "cron": cron,
        "repeats": -1,
        "hook": None,
        "cluster": None,
        "intended_date_kwarg": None,
    }


def _own_schedules() -> "QuerySet[Any]":
    from django_q.models import Schedule  # importing it warns if the host has no queue

    rows: QuerySet[Any] = Schedule.objects.filter(name__startswith=PREFIX)
    return rows


def next_schedules(*, agencies: Sequence[str] | None = None) -> Sequence[ScheduleStatus]:
    """Return this app's schedules, next one first. Requires a queue.

    Schedules of single agencies are limited to `agencies`, unless that is None.
    """
    rows = _own_schedules().order_by("next_run", "name")
    if agencies is not None:
        rows = rows.filter(~Q(name__startswith=_of_agency("")) | Q(name__in=[*map(_of_agency, agencies)]))
    return [ScheduleStatus(name=row.name, cron=row.cron, due=row.next_run) for row in rows]


def unreadable_schedules() -> Iterator[str]:
    """Yield schedules whose arguments do not parse, of this app and of others.

    Django-q2 reads all due schedules in one transaction and stops at the first error, so that none of them runs.
    """
    from django_q.models import Schedule

    for row in Schedule.objects.exclude(args__isnull=True).exclude(args="").order_by("pk"):
        try:
            literal_eval(row.args)
        except (SyntaxError, ValueError, TypeError, MemoryError, RecursionError):
            yield (
                f"The arguments of the schedule {row.name or row.pk!r} (id {row.pk}) cannot be read: once it is due,"
                " the queue runs no schedule at all. Correct or delete it in the admin of django-q2."
            )


def schedule_problems(settings: conf.Settings) -> Iterator[tuple[str, str, str]]:
    """Yield setting, value and problem of each invalid cron expression. Nothing without a queue or its extra."""
    if not dispatch.is_installed() or extras.problem(extras.QUEUE, "A schedule"):
        return
    named = {"SEEDER_NIGHTLY_CRON": settings.nightly_cron} if settings.nightly_cron else {}
    named |= {f"SEEDER['AGENCY_CRONS'][{slug!r}]": cron for slug, cron in settings.agency_crons.items()}
    for setting, cron in named.items():
        if problem := _cron_problem(cron):
            yield setting, cron, problem
    for slug in settings.agency_crons:
        if len(_of_agency(slug)) > _LONGEST:
            yield "SEEDER['AGENCY_CRONS']", slug, f"the queue keeps {_LONGEST} characters of a schedule's name"


def _of_agency(slug: str) -> str:
    return f"{PREFIX}agency {slug}"


def _cron_problem(cron: str) -> str | None:
    from croniter import CroniterError, croniter

    if len(cron) > _LONGEST:
        return f"the queue keeps {_LONGEST} characters of it"
    if not cron.startswith("@") and len(cron.split()) != 5:
        return "it must have five fields: minute, hour, day, month, weekday"  # a sixth would mean seconds
    try:
        croniter(cron).get_next()  # February 30 parses, and never comes
    except CroniterError as error:
        return str(error).rstrip(".")
    return None
