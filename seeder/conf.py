"""The settings of this app: one frozen, validated object, and the only reader of `django.conf.settings`.

A setting is taken from the dictionary `SEEDER` of the host's settings (`SEEDER = {"MAX_WORKERS": 4}`), else from the
environment variable of the same name with the prefix `SEEDER_` where a text can say it, else from its default below.
"""

import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from math import isfinite
from typing import Any

from django.conf import settings

from seeder.domain.snapshots.drift_rules import DifferenceKind, Direction, DriftRule, Severity
from seeder.errors import ConfigurationError

_RATE = re.compile(r"[1-9][0-9]{0,8}/(s|sec|second|m|min|minute|h|hour|d|day)", re.ASCII)

_SECRET = re.compile(r"[!-~]{16,}", re.ASCII)


class _RedactedValue:
    def __repr__(self) -> str:
        return "…"


_REDACTED = _RedactedValue()  # in the place of a secret


def _integer(min_value: int, max_value: int = 2**31 - 1) -> Callable[[str, object], int]:
    def read(name: str, value: object) -> int:
        try:
            number = int(str(value)) if not isinstance(value, bool) else None
        except ValueError:
            number = None
        if number is None or not min_value <= number <= max_value:
            wanted = (
                f"a whole number of at least {min_value}"
                if number is None or number < min_value
                else f"at most {max_value}"
            )
            raise ConfigurationError(setting=name, value=value, expected=wanted)
        return number

    return read


def _boolean(name: str, value: object) -> bool:
    match str(value).strip().lower():
        case "true" | "yes" | "on" | "1":
            return True
        case "false" | "no" | "off" | "0":
            return False
        case _:
            raise ConfigurationError(setting=name, value=value, expected="true or false")


def _text(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise ConfigurationError(setting=name, value=value, expected="a text")
    return value


def _secret(name: str, value: object) -> str:
    """Nothing where none is wanted. What is wrong with it is said without it."""
    if not isinstance(value, str) or (value and not _SECRET.fullmatch(value)):
        expected = "at least 16 printable ASCII characters without blanks, or nothing"
        raise ConfigurationError(setting=name, value=_REDACTED, expected=expected)
    return value


def _one_of(*choices: str) -> Callable[[str, object], str]:
    def read(name: str, value: object) -> str:
        if value not in choices:
            raise ConfigurationError(setting=name, value=value, expected=" or ".join(map(repr, choices)))
        return str(value)

    return read


def _throttle_rate(name: str, value: object) -> str:
    if not isinstance(value, str) or not _RATE.fullmatch(value):
        raise ConfigurationError(setting=name, value=value, expected="so many a second, minute, hour or day: '60/min'")
    return value


def _database_aliases(name: str, value: object) -> Mapping[int, str]:
    configured_databases = settings.DATABASES
    if not isinstance(value, Mapping) or not all(
        type(key) is int and alias in configured_databases for key, alias in value.items()
    ):
        raise ConfigurationError(
            setting=name, value=value, expected=f"a map of database_id to one of: {', '.join(configured_databases)}"
        )
    return dict(value)


def _cron_expressions(name: str, value: object) -> Mapping[str, str]:
    if not isinstance(value, Mapping) or not all(isinstance(one, str) for pair in value.items() for one in pair):
        raise ConfigurationError(setting=name, value=value, expected="a map of an agency's slug to a cron expression")
    return dict(value)


def _drift_rules(name: str, value: object) -> Sequence[DriftRule]:
    expected = (
        "a list of rules such as {'kind': 'rows', 'severity': 'breaking', 'relative': 0.2, 'direction': 'falling'}"
    )
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise ConfigurationError(setting=name, value=value, expected=expected)
    return [_drift_rule(name, one, expected) for one in value]


def _drift_rule(name: str, value: object, expected: str) -> DriftRule:
    try:
        rule_values = dict(value)  # type: ignore[call-overload]  # whatever stands there: what is no map is refused below
        readers: Mapping[str, Callable[[Any], Any]]
        readers = {"kind": DifferenceKind, "severity": lambda word: Severity[word.upper()], "direction": Direction}
        return DriftRule(**{key: readers.get(key, _minimum)(one) for key, one in rule_values.items()})
    except (TypeError, ValueError, KeyError, AttributeError, OverflowError) as error:
        raise ConfigurationError(setting=name, value=value, expected=expected) from error


def _minimum(value: object) -> float:
    """A minimum. Raises `ValueError` or `OverflowError`."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value) or value < 0:
        raise ValueError(value)
    return float(value)


def _setting(
    default: Callable[[], object], read: Callable[[str, object], object], *, from_environment: bool = True
) -> Any:
    facts = {"read": read, "environment": from_environment}
    return field(default_factory=default, repr=read is not _secret, metadata=facts)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Every setting with its default; the name in upper case is the setting's name."""

    max_workers: int = _setting(lambda: 8, _integer(1))  # refreshes at once in a database, and so connections to it
    batch_size: int = _setting(lambda: 8, _integer(1))  # views that start together, at most
    start_delay_ms: int = _setting(lambda: 0, _integer(0))  # between two batches
    max_db_active_queries: int = _setting(lambda: 0, _integer(0))  # on the server, before a batch may start; 0: any
    max_wait_seconds: int = _setting(lambda: 3600, _integer(1))  # held back for so long, a run gives up what is left
    max_failures: int = _setting(lambda: 5, _integer(1))  # in a row, after which the circuit breaker opens
    reset_seconds: int = _setting(lambda: 300, _integer(1))  # from then until one view is tried
    breaker_counts: str = _setting(lambda: "all", _one_of("all", "server"))  # which failures open it
    refresh_concurrently: bool = _setting(lambda: False, _boolean)  # try REFRESH … CONCURRENTLY first
    concurrent_fallback: bool = _setting(lambda: True, _boolean)  # refresh plainly where PostgreSQL cannot concurrently
    lock_timeout_ms: int = _setting(lambda: 2000, _integer(1))  # how long a refresh, and who queues behind it, waits
    statement_timeout_ms: int = _setting(lambda: 0, _integer(0))  # how long a refresh may take; 0: as long as it takes
    parallel_when_busy: bool = _setting(
        lambda: True, _boolean
    )  # parallel workers of the server, while all seats are taken
    max_retries: int = _setting(lambda: 3, _integer(0, 100))  # of a refresh that failed for no fault of its own
    queue_parts: int = _setting(lambda: 8, _integer(1))  # of a queued request for everything, at most
    nightly_cron: str = _setting(lambda: "0 2 * * *", _text)  # when every report is queued; empty: never
    agency_crons: Mapping[str, str] = _setting(
        dict, _cron_expressions, from_environment=False
    )  # an agency's slug → when, beside that
    snapshot_connections: int = _setting(lambda: 2, _integer(1))  # that share the work of release snapshots
    snapshot_memory_mb: int = _setting(lambda: 128, _integer(1))  # work_mem of each of them
    drift_rules: Sequence[DriftRule] = _setting(list, _drift_rules, from_environment=False)  # over the defaults
    stale_hours: int = _setting(lambda: 26, _integer(1))  # since a view's last success, after which it is late
    long_running_factor: int = _setting(lambda: 3, _integer(1))  # times its usual duration
    history_days: int = _setting(lambda: 400, _integer(0, 36_500))  # that prune_history leaves; 0: all of it
    agency_scope: str = _setting(str, _text)  # the callable that says which agencies a user may see
    agency_model: str = _setting(str, _text)  # the host's model of agencies, for their names
    api_write_rate: str = _setting(lambda: "60/min", _throttle_rate)  # calls of one user that change or start something
    log_format: str = _setting(lambda: "text", _one_of("text", "json"))  # of the lines in the log `seeder`
    metrics_token: str = _setting(str, _secret)  # with which the metrics are told to a program; empty: to none
    metrics_window_hours: int = _setting(lambda: 24, _integer(1))  # what is recent in the metrics
    metrics_views: int = _setting(lambda: 10000, _integer(0))  # of so many views they tell when each last succeeded
    databases: Mapping[int, str] = _setting(
        dict, _database_aliases, from_environment=False
    )  # a manifest's database_id → alias


def load() -> Settings:
    """Read and validate the settings as they stand now. Raises `ConfigurationError` for the first that is wrong."""
    if not settings.USE_TZ:  # Django would then store the database's instants as if its clock were the host's
        raise ConfigurationError(
            setting="USE_TZ", value=settings.USE_TZ, expected="True: every instant has a time zone"
        )
    configured: object = getattr(settings, "SEEDER", {})
    fields_by_name = {setting.name.upper(): setting for setting in fields(Settings)}
    if not isinstance(configured, Mapping) or not configured.keys() <= fields_by_name.keys():
        expected = f"a dictionary of some of {', '.join(fields_by_name)}"
        raise ConfigurationError(
            setting="SEEDER", value=_without_secrets(configured, fields_by_name), expected=expected
        )
    values = {}
    for name, setting in fields_by_name.items():
        read, variable = setting.metadata["read"], f"SEEDER_{name}"
        if name in configured:
            values[setting.name] = read(f"SEEDER[{name!r}]", configured[name])
        elif setting.metadata["environment"] and variable in os.environ:
            values[setting.name] = read(variable, os.environ[variable])
    return Settings(**values)


def _without_secrets(configured: object, fields_by_name: Mapping[Any, Any]) -> object:
    """What may be said of it: a secret may stand under a name that is only nearly its own."""
    if not isinstance(configured, Mapping):
        return configured
    return {
        name: value if name in fields_by_name and fields_by_name[name].repr else _REDACTED
        for name, value in configured.items()
    }


def django_q_settings() -> Mapping[str, Any]:
    """django-q2's own settings."""
    configured: object = getattr(settings, "Q_CLUSTER", {})
    return configured if isinstance(configured, Mapping) else {}
