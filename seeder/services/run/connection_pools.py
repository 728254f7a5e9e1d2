"""Limits of Django's own connection pools (`OPTIONS['pool']`), from which every worker takes one connection."""

from collections.abc import Iterable, Iterator, Mapping

from django.db import connections

from seeder.conf import Settings
from seeder.domain.human_format import format_count
from seeder.errors import ConfigurationError
from seeder.texts import Text

_OF_THE_RUN = 1  # connection of the scheduler's thread, which holds the run's lock and has read the catalog
_DEFAULT_MIN_SIZE = 4  # of psycopg_pool.ConnectionPool


def workers_by_database(settings: Settings, databases: Iterable[str]) -> Mapping[str, int]:
    """Return the number of workers for each database: MAX_WORKERS, or what its pool allows.

    Raises `ConfigurationError` if a pool has no connection for a worker.
    """
    workers = {}
    for alias in databases:
        size = _pool_size(alias)
        if size is not None and size <= _OF_THE_RUN:
            setting = f"DATABASES[{alias!r}]['OPTIONS']['pool']['max_size']"
            expected = Text("at least 2, of which the run needs one")
            raise ConfigurationError(setting=setting, value=size, expected=expected)
        workers[alias] = settings.max_workers if size is None else min(settings.max_workers, size - _OF_THE_RUN)
    return workers


def pool_warnings(settings: Settings, workers: Mapping[str, int]) -> Iterator[str]:
    """Yield a sentence for each database whose pool has too few connections for MAX_WORKERS."""
    for alias, count in workers.items():
        if count < settings.max_workers:
            yield Text(
                "DATABASES[{alias!r}] has a connection pool of {size}, so the run has {workers} there instead of {most}"
                " (SEEDER_MAX_WORKERS). Raise max_size in OPTIONS['pool'], or lower SEEDER_MAX_WORKERS.",
                alias=alias,
                size=count + _OF_THE_RUN,
                workers=format_count(count, "worker"),
                most=settings.max_workers,
            )


def _pool_size(alias: str) -> int | None:
    """Return the maximum number of connections, or None without a pool."""
    options = connections[alias].settings_dict.get("OPTIONS", {}).get("pool")
    if not options:
        return None
    options = {} if options is True else options
    return int(options.get("max_size") or options.get("min_size", _DEFAULT_MIN_SIZE))
