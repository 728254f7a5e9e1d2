"""The effective settings of one integration."""

from collections.abc import Set
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import urlsplit

from data_pipeline import conf
from data_pipeline.domain.outbound_hosts import HostRules, Origin
from data_pipeline.domain.retry_decisions import Backoff
from data_pipeline.integration_settings import Integration, read_integration

Number = TypeVar("Number", int, float)


@dataclass(frozen=True, kw_only=True, slots=True)
class HTTPPolicy:
    """Time limits, retries, sizes and hosts of an integration."""

    integration: str
    hosts: HostRules
    base_url: str
    connect_s: float
    read_s: float
    total_s: float
    attempts: int
    backoff: Backoff
    retry_statuses: Set[int]
    max_body_mb: int
    max_pool: int


def policy_of(integration: str) -> HTTPPolicy:
    """Return the policy that the settings give an integration. Raises `ConfigurationError`."""
    settings = conf.load_in_use()
    own = settings.integrations.get(integration) or read_integration(integration)
    read_s = _first(own.timeout_s, own.request_timeout_s, settings.http_read_timeout_s)
    return HTTPPolicy(
        integration=integration,
        hosts=HostRules(allowed=settings.allowed_hosts, private=settings.private_hosts, base=_origin(own)),
        base_url=own.base_url,
        connect_s=settings.http_connect_timeout_s,
        read_s=read_s,
        total_s=_first(own.total_timeout_s, max(settings.http_total_timeout_s, read_s)),
        attempts=1 + _first(own.max_retries, own.retries, settings.http_max_retries),
        backoff=Backoff(
            base_s=_first(own.backoff_base_s, settings.http_backoff_base_s),
            max_s=_first(own.backoff_max_s, settings.http_backoff_max_s),
            jitter_s=_first(own.backoff_jitter_s, settings.http_backoff_jitter_s),
        ),
        retry_statuses=frozenset(settings.http_retry_status_codes),
        max_body_mb=settings.http_max_body_mb,
        max_pool=settings.http_max_pool,
    )


def _first(*values: Number | None) -> Number:
    return next(value for value in values if value is not None)


def _origin(own: Integration) -> Origin | None:
    parts = urlsplit(own.base_url)
    return Origin.of(scheme=parts.scheme, host=parts.hostname or "", port=parts.port) if own.base_url else None
