"""Settings of one integration: another system that is called over HTTP.

They are read from `DATA_PIPELINE["INTEGRATIONS"]`, otherwise from environment variables with the integration's name in
upper case as their prefix. What is not set there has the value of the setting with the prefix `HTTP_`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from data_pipeline.domain.outbound_hosts import base_url_problem
from seeder.errors import ConfigurationError
from seeder.settings_readers import REDACTED, decimal, integer, read_settings, setting
from seeder.texts import Text

_NAME = re.compile(r"[a-z][a-z0-9_]{0,47}", re.ASCII)


def _base_url(name: str, value: object) -> str:
    if not isinstance(value, str) or base_url_problem(value) is not None:
        expected = Text("a URL with http or https and a host, without credentials and query")
        raise ConfigurationError(setting=name, value=REDACTED, expected=expected)
    return value


@dataclass(frozen=True, kw_only=True)
class Integration:
    """The settings of an integration. None: the setting of all integrations applies."""

    base_url: str = setting(_base_url, default="")
    """URL that relative addresses are appended to. Its host is allowed, also by `http`."""
    timeout_s: float | None = setting(decimal(0.001, 3600), default=None)
    """Seconds to wait for the next data of a response. The total timeout is at least as long."""
    request_timeout_s: float | None = setting(decimal(0.001, 3600), default=None)
    """Another name of `TIMEOUT_S`."""
    total_timeout_s: float | None = setting(decimal(0.001, 86_400), default=None)
    """Seconds in which a call must end, with all of its attempts."""
    max_retries: int | None = setting(integer(0, 100), default=None)
    """Attempts after the first one."""
    retries: int | None = setting(integer(0, 100), default=None)
    """Another name of `MAX_RETRIES`."""
    backoff_base_s: float | None = setting(decimal(0, 3600), default=None)
    """Seconds to wait after the first attempt."""
    backoff_max_s: float | None = setting(decimal(0, 3600), default=None)
    """Longest wait between two attempts, without jitter."""
    backoff_jitter_s: float | None = setting(decimal(0, 3600), default=None)
    """Upper bound of the random time that is added to each wait."""


def read_integrations(name: str, value: object) -> Mapping[str, Integration]:
    """Read the settings of all declared integrations."""
    if not isinstance(value, Mapping):
        raise ConfigurationError(setting=name, value=REDACTED, expected=Text("a dictionary of integrations"))
    return {key: read_integration(key, one) for key, one in value.items()}


def read_integration(name: str, configured: object = None) -> Integration:
    """Read the settings of an integration. Raises `ConfigurationError`."""
    if not _NAME.fullmatch(str(name)):
        expected = Text("at most 48 lower-case letters, digits and underscores, with a letter first")
        raise ConfigurationError(setting=Text("The name of an integration"), value=name, expected=expected)
    return read_settings(Integration, {} if configured is None else configured, name=name.upper())
