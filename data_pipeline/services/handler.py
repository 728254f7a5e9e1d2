"""The composition root of jobs: what their work needs from outside.

A test passes its own values to the constructor.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from data_pipeline import conf
from data_pipeline.services.job_discovery import host_settings
from seeder.errors import SettingsMissing
from seeder.services.django_bootstrap import bootstrap_django

if TYPE_CHECKING:
    from data_pipeline.http.client import HTTPClient
    from data_pipeline.storage.object_store import ObjectStore


def _utc_now() -> datetime:
    return datetime.now(UTC)


def _start_django() -> None:
    """Start Django with the settings of the environment, unless it is started."""
    settings_module = os.environ.get("DJANGO_SETTINGS_MODULE", "")
    if not settings_module:
        raise SettingsMissing
    bootstrap_django(settings_module)


def _run_command(name: str, argv: Sequence[str]) -> int:
    """Run a management command of an installed app, as `manage.py` does.

    It ends the process if it fails.
    """
    _start_django()
    from django.core.management import get_commands, load_command_class

    command = load_command_class(get_commands()[name], name)
    command.run_from_argv(["data-pipeline run", name, *argv])
    return 0


def _settings() -> conf.Settings:
    """Read the settings of the host without starting Django.

    Without a host they are those of the environment.
    """
    return conf.load_from(host_settings(os.environ.get("DJANGO_SETTINGS_MODULE", "")))


def _open_client(integration: str) -> "HTTPClient":
    from data_pipeline.http.client import HTTPClient  # imports httpx2

    return HTTPClient(integration)


def _open_store(settings: conf.Settings) -> "ObjectStore":
    from data_pipeline.storage.object_store import shared_store  # imports the client of object storage

    return shared_store(settings)


@dataclass(frozen=True, kw_only=True, slots=True)
class ServiceHandler:
    """What a job passes to services. Creating a handler opens no connection and imports no Django."""

    database: str = "default"  # alias in DATABASES
    clock: Callable[[], datetime] = _utc_now  # returns the current instant
    start_django: Callable[[], None] = _start_django  # before the first use of the database; raises `StartError`
    run_command: Callable[[str, Sequence[str]], int] = _run_command  # starts Django; takes name and arguments
    settings: Callable[[], conf.Settings] = _settings
    storage: Callable[[conf.Settings], "ObjectStore"] = _open_store  # returns the store of all threads
    http: Callable[[str], "HTTPClient"] = _open_client  # takes an integration; the caller closes the client

    @property
    def has_database(self) -> bool:
        """Whether the job can use the database.

        It can if there are Django settings.
        """
        return bool(os.environ.get("DJANGO_SETTINGS_MODULE")) or conf.settings_in_use() is not None
