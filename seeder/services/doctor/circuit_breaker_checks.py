"""Open circuit breakers, which stop refreshes."""

from collections.abc import Iterator

from django.db import DEFAULT_DB_ALIAS

from seeder.domain.doctor.diagnosis import Diagnosis, Problem
from seeder.postgres.contract import OptionalTables
from seeder.services.doctor.check_context import CheckContext
from seeder.services.run.circuit_breakers import CircuitBreakers


def check_breakers(context: CheckContext) -> Iterator[Diagnosis]:
    """Report the open breakers of all databases, because one table holds them.

    A breaker whose next trial is due is not reported, because the next run can close it.
    """
    breakers = CircuitBreakers(context.settings, OptionalTables.read(DEFAULT_DB_ALIAS))
    for alias in sorted({context.alias, *context.settings.databases.values()}):
        hold = breakers.hold(alias)
        if hold:
            yield Diagnosis(
                problem=Problem.BREAKER_OPEN,
                database=context.alias,
                subject=alias,
                message=f"Nothing starts, as {hold.message}.",
                fix="See why they failed: `manage.py refresh_status --failing`. With the first success it closes by"
                " itself; at once, when the cause is gone:",
                sql=_close(alias.replace("'", "''")),
            )


def _close(alias: str) -> str:
    return (
        "UPDATE reporting.seeder_circuit_breaker SET failures = 0, opened_at = NULL, last_trial_at = NULL,"  # noqa: S608  # shown, not run
        f" updated_at = now() WHERE database_alias = '{alias}';"
    )
