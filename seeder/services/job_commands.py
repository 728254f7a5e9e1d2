"""Which management commands may be run as jobs: those of any installed app whose class says `is_job = True`."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.core.management import get_commands, load_command_class
from django.core.management.base import BaseCommand

from seeder.domain.view_names import did_you_mean
from seeder.errors import UnknownJobCommand, UnusableJobCommand

_DJANGO_ITSELF = "django.core"


@dataclass(frozen=True, kw_only=True)
class DiscoveredJobs:
    """What can be run, and what might have been."""

    jobs: Mapping[str, BaseCommand]  # by name
    unusable: tuple[UnusableJobCommand, ...]


def discover_jobs() -> DiscoveredJobs:
    jobs, unusable = {}, []
    for name, app in sorted(get_commands().items()):
        if app == _DJANGO_ITSELF:
            continue
        try:
            command = _load(name, app)
        except UnusableJobCommand as error:  # one that is broken is no reason to hide the others
            unusable.append(error)
            continue
        if _is_job(command):
            jobs[name] = command
    return DiscoveredJobs(jobs=jobs, unusable=tuple(unusable))


def find_job(name: str) -> BaseCommand:
    """Raises `JobUnknown` or `JobUnusable`."""
    app = get_commands().get(name, _DJANGO_ITSELF)
    if app != _DJANGO_ITSELF:
        command = _load(name, app)
        if _is_job(command):
            return command
    raise UnknownJobCommand(job=name, suggestion=did_you_mean(name, discover_jobs().jobs, "The nearest one is"))


def app_name(command: BaseCommand) -> str:
    return type(command).__module__.partition(".management.")[0]


def description(command: BaseCommand) -> str:
    """In one line."""
    return " ".join(str(command.help).split())


def _is_job(command: BaseCommand) -> bool:
    return getattr(command, "is_job", False) is True


def _load(name: str, app: str | BaseCommand) -> BaseCommand:
    try:
        return app if isinstance(app, BaseCommand) else load_command_class(app, name)
    except Exception as error:  # whatever a module of somebody else's does when it is loaded
        cause = f"{type(error).__name__}: {error}"
        raise UnusableJobCommand(job=name, app=app, cause=cause) from error
