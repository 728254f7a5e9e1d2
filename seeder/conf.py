"""The settings of this app: one frozen, validated object, and the only reader of `django.conf.settings`.

A setting is taken from the dictionary `SEEDER` of the host's settings (`SEEDER = {"MAX_WORKERS": 4}`), else from the
environment variable of the same name with the prefix `SEEDER_` where a text can say it, else from its default below.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from django.conf import settings

from seeder.errors import ConfigurationError


def _whole(least: int, most: int = 2**31 - 1) -> Callable[[str, object], int]:
    def read(name: str, value: object) -> int:
        try:
            number = int(str(value)) if not isinstance(value, bool) else None
        except ValueError:
            number = None
        if number is None or not least <= number <= most:
            wanted = f"a whole number of at least {least}" if number is None or number < least else f"at most {most}"
            raise ConfigurationError(setting=name, value=value, wanted=wanted)
        return number

    return read


def _flag(name: str, value: object) -> bool:
    match str(value).strip().lower():
        case "true" | "yes" | "on" | "1":
            return True
        case "false" | "no" | "off" | "0":
            return False
        case _:
            raise ConfigurationError(setting=name, value=value, wanted="true or false")


def _aliases(name: str, value: object) -> Mapping[int, str]:
    known = settings.DATABASES
    if not isinstance(value, Mapping) or not all(type(key) is int and alias in known for key, alias in value.items()):
        raise ConfigurationError(
            setting=name, value=value, wanted=f"a map of database_id to one of: {', '.join(known)}"
        )
    return dict(value)


def _setting(default: Callable[[], object], read: Callable[[str, object], object], *, environment: bool = True) -> Any:
    return field(default_factory=default, metadata={"read": read, "environment": environment})


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Every setting with its default; the name in upper case is the setting's name."""

    max_workers: int = _setting(lambda: 8, _whole(1))  # refreshes at once, and so database connections
    refresh_concurrently: bool = _setting(lambda: False, _flag)  # try REFRESH … CONCURRENTLY first
    concurrent_fallback: bool = _setting(lambda: True, _flag)  # refresh plainly where PostgreSQL cannot concurrently
    lock_timeout_ms: int = _setting(lambda: 2000, _whole(1))  # how long a refresh, and who queues behind it, waits
    statement_timeout_ms: int = _setting(lambda: 0, _whole(0))  # how long a refresh may take; 0: as long as it takes
    max_retries: int = _setting(lambda: 3, _whole(0, 100))  # of a refresh that failed for no fault of its own
    databases: Mapping[int, str] = _setting(dict, _aliases, environment=False)  # a manifest's database_id → alias


def load() -> Settings:
    """Read and validate the settings as they stand now. Raises `ConfigurationError` for the first that is wrong."""
    given: object = getattr(settings, "SEEDER", {})
    known = {setting.name.upper(): setting for setting in fields(Settings)}
    if not isinstance(given, Mapping) or not given.keys() <= known.keys():
        raise ConfigurationError(setting="SEEDER", value=given, wanted=f"a dictionary of some of {', '.join(known)}")
    values = {}
    for name, setting in known.items():
        read, variable = setting.metadata["read"], f"SEEDER_{name}"
        if name in given:
            values[setting.name] = read(f"SEEDER[{name!r}]", given[name])
        elif setting.metadata["environment"] and variable in os.environ:
            values[setting.name] = read(variable, os.environ[variable])
    return Settings(**values)
