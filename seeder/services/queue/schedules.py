"""Seeder's schedules: declared in the settings, stored as rows of the queue."""

from collections.abc import Iterable, Iterator, Sequence

from django.db.models import Q

from seeder import conf
from seeder.domain.refresh_requests import AgencyReports
from seeder.errors import NotSchedulable
from seeder.services import manifest_selection
from seeder.services.queue import due_refreshes, schedule_rows
from seeder.services.queue.schedule_rows import DeclaredSchedule, ScheduleStatus
from seeder.texts import Text

PREFIX = schedule_rows.prefix_of("seeder")
DUE_VIEWS = f"{PREFIX}due views"
WITHOUT_CONTRACTS = f"{PREFIX}views without contracts"
_EVERY_REPORT = f"{PREFIX}every report"
_LABELS = {
    _EVERY_REPORT: Text("every report"),
    DUE_VIEWS: Text("due views"),
    WITHOUT_CONTRACTS: Text("views without contracts"),
}
_RESUME_MINUTES = 5


def sync_schedules(*, dry_run: bool = False, by_freshness: bool = False) -> Sequence[ScheduleStatus]:
    """Make the queue's schedules match the settings. An unchanged schedule keeps its next due time.

    With `by_freshness`, views with a freshness contract are refreshed just in time, and the others at night.

    Raises `ConfigurationError`, `UnknownAgency`, `QueueMissing`, `ExtraMissing` or `DatabaseError`.
    """
    settings = conf.load()
    schedule_rows.require_queue()
    require_valid_schedules()
    for slug in settings.agency_crons:
        manifest_selection.select(AgencyReports(slug=slug), databases=settings.databases)
    return schedule_rows.sync_rows(PREFIX, _declared_schedules(settings, by_freshness=by_freshness), dry_run=dry_run)


def require_valid_schedules() -> None:
    """Raise `NotSchedulable` for the first invalid cron expression. Uses no database."""
    schedule_rows.require_valid(schedule_problems(conf.load()))


def _declared_schedules(settings: conf.Settings, *, by_freshness: bool) -> Iterator[DeclaredSchedule]:
    """Yield each schedule that the settings declare."""
    if by_freshness:
        yield DeclaredSchedule(
            name=DUE_VIEWS,
            task="seeder.tasks.refresh_due_views",
            minutes=due_refreshes.INTERVAL_MINUTES,
            keeps_result=False,  # there is one every minute
        )
        if settings.nightly_cron:
            task, cron = "seeder.tasks.refresh_views_without_contracts", settings.nightly_cron
            yield DeclaredSchedule(name=WITHOUT_CONTRACTS, task=task, cron=cron)
    elif settings.nightly_cron:
        yield DeclaredSchedule(
            name=_EVERY_REPORT,
            task="seeder.tasks.refresh_all",
            arguments=("any",),
            cron=settings.nightly_cron,
        )
    for slug, cron in settings.agency_crons.items():
        yield DeclaredSchedule(name=_of_agency(slug), task="seeder.tasks.refresh_agency", arguments=(slug,), cron=cron)
    if settings.notifications:
        task, name = "seeder.tasks.send_notifications", f"{PREFIX}notifications"
        yield DeclaredSchedule(name=name, task=task, minutes=1, keeps_result=False)
    yield DeclaredSchedule(
        name=f"{PREFIX}resume the queue",
        task="seeder.tasks.resume_queue",
        minutes=_RESUME_MINUTES,
        keeps_result=False,  # it is of no interest a minute later
    )


def next_schedules(*, agencies: Sequence[str] | None = None) -> Sequence[ScheduleStatus]:
    """Return the schedules of the installed apps, next one first. Requires a queue.

    Schedules of single agencies are limited to `agencies`, unless that is None.
    """
    rows = schedule_rows.own_rows(*schedule_rows.own_prefixes()).order_by("next_run", "name")
    if agencies is not None:
        rows = rows.filter(~Q(name__startswith=_of_agency("")) | Q(name__in=[*map(_of_agency, agencies)]))
    return [ScheduleStatus(name=row.name, cron=row.cron, due=row.next_run) for row in rows]


def next_refresh(agencies: Sequence[str], *, has_contracts: bool) -> ScheduleStatus | None:
    """Return the next schedule that refreshes a view of these agencies at its times. Requires a queue.

    A view with freshness contracts is not refreshed by the schedule of those without.
    """
    found = refreshing(next_schedules(agencies=agencies), agencies, has_contracts=has_contracts)
    return next((one for one in found if one.due), None)


def refreshing(
    known: Iterable[ScheduleStatus], agencies: Iterable[str], *, has_contracts: bool
) -> Sequence[ScheduleStatus]:
    """Return those schedules that refresh a view of these agencies at their times."""
    own = {*map(_of_agency, agencies)}
    return [
        one
        for one in known
        if one.cron
        and one.name.startswith(PREFIX)
        and not (has_contracts and one.name == WITHOUT_CONTRACTS)
        and (one.name in own or not one.name.startswith(_of_agency("")))
    ]


def start_reason(requested_by: str) -> Text:
    """Return what started a run: a schedule, a command, a user or a load."""
    if requested_by.startswith(PREFIX):
        return Text("by schedule “{name}”", name=label(requested_by))
    return Text("by {name}", name=requested_by)


def label(name: str) -> str:
    """Return what a schedule refreshes, as a page shows it."""
    if name.startswith(_of_agency("")):
        return Text("agency {slug}", slug=name.removeprefix(_of_agency("")))
    return _LABELS.get(name, name.removeprefix(PREFIX))


def schedule_problems(settings: conf.Settings) -> Iterator[NotSchedulable]:
    """Yield the problem of each invalid cron expression. Nothing without a queue or its extra."""
    if not schedule_rows.is_usable():
        return
    named = {"SEEDER_NIGHTLY_CRON": settings.nightly_cron} if settings.nightly_cron else {}
    named |= {f"SEEDER['AGENCY_CRONS'][{slug!r}]": cron for slug, cron in settings.agency_crons.items()}
    yield from schedule_rows.cron_problems(named)
    for slug in settings.agency_crons:
        if len(_of_agency(slug)) > schedule_rows.MAX_LENGTH:
            problem = Text("the queue keeps {most} characters of a schedule's name", most=schedule_rows.MAX_LENGTH)
            yield NotSchedulable(setting="SEEDER['AGENCY_CRONS']", value=slug, problem=problem)


def _of_agency(slug: str) -> str:
    return f"{PREFIX}agency {slug}"
