"""The open circuit breakers of all databases, and their reset."""

from collections.abc import Mapping, Sequence

from django.db import DEFAULT_DB_ALIAS

from seeder import conf
from seeder.domain.circuit_breaker_rules import CircuitBreakerState
from seeder.models import CircuitBreaker
from seeder.postgres.contract import OptionalTables
from seeder.postgres.sqlstates import translate_database_errors
from seeder.services.run.admission_control import CircuitBreakers, state_from_row


def open_breakers() -> Sequence[str]:
    """Describe each open breaker with its cause. Empty without the optional table.

    Raises `ConfigurationError` or `DatabaseError`.
    """
    with translate_database_errors(DEFAULT_DB_ALIAS):
        return list(_breakers(read_only=True).open_texts(_databases()))


def open_states(tables: OptionalTables) -> Mapping[str, CircuitBreakerState]:
    """Return the open breakers by database. Empty without the optional table.

    Raises `ConfigurationError` or `DatabaseError`.
    """
    if not tables.is_usable("seeder_circuit_breaker"):
        return {}
    with translate_database_errors(DEFAULT_DB_ALIAS):
        rows = CircuitBreaker.objects.filter(pk__in=_databases()).exclude(opened_at=None).order_by("pk")
        return {row.pk: state_from_row(row) for row in rows}


def reset_breakers() -> Sequence[str]:
    """Close all open breakers. Describe each as it was.

    Raises `ConfigurationError` or `DatabaseError`, also if the table is missing.
    """
    with translate_database_errors(DEFAULT_DB_ALIAS):
        breakers = _breakers(read_only=False)
        texts = list(breakers.open_texts(_databases()))
        for database in _databases():
            breakers.reset(database)
    return texts


def _breakers(*, read_only: bool) -> CircuitBreakers:
    return CircuitBreakers(conf.load(), OptionalTables.read(DEFAULT_DB_ALIAS, read_only=read_only))


def _databases() -> Sequence[str]:
    return sorted({DEFAULT_DB_ALIAS, *conf.load().databases.values()})
