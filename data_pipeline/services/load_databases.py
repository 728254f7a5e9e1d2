"""The databases of the project that have the tables of loads."""

from datetime import timedelta
from functools import partial

from django.db import DEFAULT_DB_ALIAS, Error, connections

from data_pipeline.postgres import load_log
from data_pipeline.postgres.error_translation import translate_errors
from seeder.postgres.deadline_query import DeadlineQuery

_TIMEOUT = timedelta(seconds=5)


def databases_with_loads() -> list[str]:
    """Return the aliases of databases with tables of loads.

    The default one comes first. Raises `DatabaseError`.
    """
    others = [alias for alias in connections if alias != DEFAULT_DB_ALIAS]
    return [alias for alias in (DEFAULT_DB_ALIAS, *others) if _has_loads(alias)]


def _has_loads(alias: str) -> bool:
    with translate_errors(alias):
        return connections[alias].vendor == "postgresql" and load_log.is_usable(alias)


def answers_with_loads(alias: str) -> bool:
    """Return whether a database has the tables of loads.

    It must answer within some seconds.
    """
    try:
        return DeadlineQuery(alias, partial(load_log.is_usable, alias), timeout=_TIMEOUT).start().answer()
    except Error:
        return False
