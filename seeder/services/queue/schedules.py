"""Schedules of the queue: declared in the settings, stored as django-q2 schedules."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from django.db import DEFAULT_DB_ALIAS
from django.db.models import Q

from seeder import conf
from seeder.domain.refresh_requests import AgencyReports
from seeder.errors import ConfigurationError
from seeder.postgres import advisory_locks
from seeder.postgres.sqlstates import translate_database_errors
from seeder.postgres.transactions import durable_transaction
from seeder.services import extras, manifest_selection
from seeder.services.queue import dispatch

if TYPE_CHECKING:
    from django_q.models import Schedule

# The names of this app's schedules. Other schedules are never changed.
PREFIX = "seeder: "
_RESUME_MINUTES = 5
_LONGEST = 100  # characters of a name and of a cron expression, in the queue's tables


@dataclass(frozen=True, kw_only=True, slots=True)
class ScheduleSpec:
    """A schedule as the settings declare it."""

    name: str
    func: str
    args: tuple[str, ...] = ()
    cron: str | None = None  # None: every few minutes
    kwargs: str | None = None

    @property
    def fields(self) -> Mapping[str, object]:
        """Return the columns of the queue's row.

        Django-q2 reads arguments as a Python literal. If it cannot read them, it calls the task without any.
        """
        return {
            "func": self.func,
            "args": repr(self.args) if self.args else None,
            "kwargs": self.kwargs,
            "schedule_type": "I" if self.cron is None else "C",
            "minutes": _RESUME_MINUTES if self.cron is None else None,
            "cron": self.cron,
            "repeats": -1,
            "hook": None,
            "cluster": None,
            "intended_date_kwarg": None,
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class ScheduleChange:
    """What was done with a schedule."""

    name: str
    action: str  # added, changed, kept or removed
    cron: str | None  # None if it has no cron expression
    due: datetime | None  # None if it is never due again


@dataclass(frozen=True, kw_only=True, slots=True)
class ScheduleStatus:
    """A schedule of this app, as the queue has it."""

    name: str
    cron: str | None
    due: datetime | None


def sync_schedules(*, dry_run: bool = False) -> Sequence[ScheduleChange]:
    """Make the queue's schedules match the settings. An unchanged schedule keeps its next due time.

    Raises `ConfigurationError`, `UnknownAgency`, `QueueMissing`, `ExtraMissing` or `DatabaseError`.
    """
    settings = conf.load()
    with translate_database_errors(DEFAULT_DB_ALIAS):
        dispatch.require_queue()
    extras.require(extras.QUEUE, "A schedule")
    from django_q.models import Schedule  # importing it warns if the host has no queue

    for setting, cron, problem in schedule_problems(settings):
        raise ConfigurationError(setting=setting, value=cron, expected=f"a cron expression; {problem}")
    for slug in settings.agency_crons:
        manifest_selection.select(AgencyReports(slug=slug), databases=settings.databases)
    with translate_database_errors(DEFAULT_DB_ALIAS), durable_transaction(DEFAULT_DB_ALIAS):
        advisory_locks.lock_enqueue(DEFAULT_DB_ALIAS)
        there: dict[str, list[Schedule]] = {}
        for row in Schedule.objects.filter(name__startswith=PREFIX).order_by("id"):
            there.setdefault(row.name, []).append(row)
        done = [_sync_schedule(one, there.pop(one.name, []), dry_run=dry_run) for one in _schedule_specs(settings)]
        for rows in there.values():
            done.append(ScheduleChange(name=rows[0].name, action="removed", cron=rows[0].cron, due=None))
            _remove(rows, dry_run=dry_run)
    return done


def next_schedules(*, agencies: Sequence[str] | None = None) -> Sequence[ScheduleStatus]:
    """Return this app's schedules, next one first. Requires a queue.

    Schedules of single agencies are limited to `agencies`, unless that is None.
    """
    from django_q.models import Schedule

    rows = Schedule.objects.filter(name__startswith=PREFIX).order_by("next_run", "name")
    if agencies is not None:
        rows = rows.filter(~Q(name__startswith=_of_agency("")) | Q(name__in=[*map(_of_agency, agencies)]))
    return [ScheduleStatus(name=row.name, cron=row.cron, due=row.next_run) for row in rows]


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
    try:
        croniter(cron).get_next()  # February 30 parses, and never comes
    except CroniterError as error:
        return str(error).rstrip(".")
    return None


def _schedule_specs(settings: conf.Settings) -> Iterator[ScheduleSpec]:
    if settings.nightly_cron:
        yield ScheduleSpec(
            name=f"{PREFIX}every report", func="seeder.tasks.refresh_all", args=("any",), cron=settings.nightly_cron
        )
    for slug, cron in settings.agency_crons.items():
        yield ScheduleSpec(name=_of_agency(slug), func="seeder.tasks.refresh_agency", args=(slug,), cron=cron)
    # Its result is of no interest a minute later.
    yield ScheduleSpec(
        name=f"{PREFIX}resume the queue",
        func="seeder.tasks.resume_queue",
        kwargs=repr({"q_options": {"save": False}}),
    )


def _sync_schedule(one: ScheduleSpec, rows: "Sequence[Schedule]", *, dry_run: bool) -> ScheduleChange:
    from django_q.models import Schedule

    same = [row for row in rows if all(getattr(row, name) == value for name, value in one.fields.items())]
    row, did = (same or rows or [Schedule(name=one.name)])[0], "kept" if same else "changed" if rows else "added"
    if not same:
        for name, value in one.fields.items():
            setattr(row, name, value)
        row.next_run = row.calculate_next_run()
        if not dry_run:
            row.save()
    _remove([other for other in rows if other is not row], dry_run=dry_run)
    return ScheduleChange(name=one.name, action=did, cron=one.cron, due=row.next_run)


def _remove(rows: "Sequence[Schedule]", *, dry_run: bool) -> None:
    for row in () if dry_run else rows:
        row.delete()
