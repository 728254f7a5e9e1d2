"""Open circuit breakers, which stop refreshes."""

from collections.abc import Iterator

from django.db import DEFAULT_DB_ALIAS

from seeder.postgres.contract import OptionalTables
from seeder.services.doctor.check_types import CheckedDatabase, Diagnosis, error_problem
from seeder.services.run.admission_control import CircuitBreakers
from seeder.texts import Text

BREAKER_OPEN = error_problem(
    name="breaker_open",
    area="server and role",
    meaning=Text("The circuit breaker of a database is open and its next trial is still to come: nothing starts."),
    fix=Text(
        "Find the cause with `manage.py refresh_status --failing`. The next success closes it. `reset_breaker` or the"
        " statement closes it at once."
    ),
)


def check(database: CheckedDatabase) -> Iterator[Diagnosis]:
    """Report the open breakers of all databases, because one table holds them.

    A breaker whose next trial is due is not reported, because the next run can close it.
    """
    if not database.is_default:
        return
    breakers = CircuitBreakers(database.settings, OptionalTables.read(DEFAULT_DB_ALIAS))
    for alias in sorted({DEFAULT_DB_ALIAS, *database.settings.databases.values()}):
        if hold := breakers.hold(alias):
            quoted_alias = alias.replace("'", "''")
            sql = (
                "UPDATE reporting.seeder_circuit_breaker SET failures = 0, opened_at = NULL, last_trial_at = NULL,"  # noqa: S608  # shown, not run
                f" causes = '{{}}', updated_at = now() WHERE database_alias = '{quoted_alias}';"
            )
            yield BREAKER_OPEN.found(alias, message=Text("{problem}.", problem=hold.message), sql=sql)
