"""The management commands that run as jobs: those of any installed app with `is_job = True` in their class."""

from collections.abc import Mapping, Sequence

from django.core.management import get_commands, load_command_class
from django.core.management.base import BaseCommand

from seeder.domain.suggestions import did_you_mean
from seeder.errors import UnknownJobCommand, UnusableJobCommand
from seeder.texts import OneLineText, Text

_DJANGO_ITSELF = "django.core"


def discover_jobs() -> tuple[Mapping[str, BaseCommand], Sequence[UnusableJobCommand]]:
    """Return jobs by name, and errors of commands that cannot be loaded."""
    jobs, unusable = dict[str, BaseCommand](), list[UnusableJobCommand]()
    for name in sorted(get_commands()):
        try:
            if (job := _load_job(name)) is not None:
                jobs[name] = job
        except UnusableJobCommand as error:
            unusable.append(error)
    return jobs, unusable


def find_job(name: str) -> BaseCommand:
    """Return a job. Raises `UnknownJobCommand` or `UnusableJobCommand`."""
    job = _load_job(name)
    if job is None:
        raise UnknownJobCommand(job=name, suggestion=did_you_mean(name, discover_jobs()[0]))
    return job


def app_name(command: BaseCommand) -> str:
    return type(command).__module__.partition(".management.")[0]


def description(command: BaseCommand) -> str:
    """Return the help text in one line."""
    text = str(command.help)
    return OneLineText.joined([text]) if isinstance(text, Text) else " ".join(text.split())


def _load_job(name: str) -> BaseCommand | None:
    """Load a command. Return None if it is no job."""
    app = get_commands().get(name, _DJANGO_ITSELF)
    if app == _DJANGO_ITSELF:
        return None
    try:
        command = app if isinstance(app, BaseCommand) else load_command_class(app, name)
    except Exception as error:  # a module of another app can raise anything
        raise UnusableJobCommand(job=name, app=app, cause=f"{type(error).__name__}: {error}") from error
    return command if getattr(command, "is_job", False) is True else None
