"""The cache of rows of materialized views.

The version of the view is in the key, as read from the catalog: each refresh changes it, also one that was made by
hand. So rows of an earlier refresh are never found again, and nothing has to be deleted after a refresh.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from hashlib import blake2b
from time import monotonic
from typing import Any

from django.core.cache import BaseCache, caches
from django.core.cache.backends.redis import RedisCache

from data_pipeline.statistics_settings import StatisticsSettings
from data_pipeline.structured_log import INFO, WARNING, log_event
from seeder.services.extras import Extra

REDIS = Extra("redis", {"redis": "redis"})
Rows = Sequence[Sequence[Any]]

_PAUSE_S = 30.0  # without the cache, after it has failed
_REDIS_TIMEOUT_S = 1.0  # a slower cache is no help


class JsonSerializer:
    """Stores texts as they are. Django's serializer would run what a pickle in Redis says."""

    def dumps(self, value: str) -> bytes:
        return value.encode()

    def loads(self, data: bytes) -> str:
        return data.decode()


class RowCache:
    """A cache that may fail: then nothing is found or kept, which is logged once."""

    def __init__(self, connect: Callable[[], BaseCache], *, clock: Callable[[], float] = monotonic) -> None:
        self._connect, self._clock = connect, clock
        self._failed_at: float | None = None

    def get(self, key: str) -> Rows | None:
        """Return the rows of a key, or None."""
        text = self._attempt(lambda cache: cache.get(key))
        return None if text is None else json.loads(text)

    def set(self, key: str, rows: Rows, *, ttl_s: int) -> None:
        """Keep rows for some seconds at most."""
        self._attempt(lambda cache: cache.set(key, json.dumps(rows), timeout=ttl_s))

    def _attempt(self, operation: Callable[[BaseCache], Any]) -> Any:
        has_failed = self._failed_at is not None
        if self._failed_at is not None and self._clock() - self._failed_at < _PAUSE_S:
            return None
        try:
            found = operation(self._connect())
        except Exception as error:  # noqa: BLE001  # each backend has its own errors, and none may fail a request
            self._failed_at = self._clock()
            if not has_failed:
                log_event(WARNING, "statistics_cache.failed", error=type(error).__name__)
            return None
        if has_failed:
            self._failed_at = None
            log_event(INFO, "statistics_cache.recovered")
        return found


def row_cache(settings: StatisticsSettings) -> RowCache | None:
    """Return the cache that the settings name, or None without STATS_ENABLE_CACHE."""
    if not settings.stats_enable_cache:
        return None
    return _row_cache(settings.stats_redis_url, settings.stats_cache_alias)


@cache
def _row_cache(redis_url: str, alias: str) -> RowCache:
    return RowCache((lambda: redis_cache(redis_url)) if redis_url else (lambda: caches[alias]))


@cache
def redis_cache(url: str) -> BaseCache:
    """Return Django's cache in a Redis, which all threads share."""
    options = {
        "serializer": JsonSerializer,
        "socket_timeout": _REDIS_TIMEOUT_S,
        "socket_connect_timeout": _REDIS_TIMEOUT_S,
    }
    return RedisCache([url], {"OPTIONS": options})  # a text would be split at commas


def key_of(settings: StatisticsSettings, facts: Mapping[str, str]) -> str:
    """Return the key of rows: its namespaces, and a hash of all on which the rows depend."""
    digest = blake2b(json.dumps(facts, sort_keys=True).encode(), digest_size=32).hexdigest()
    return f"{settings.cache_namespace}{settings.stats_cache_namespace}{digest}"
