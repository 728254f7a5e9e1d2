"""Conditions that a run requires, and features that it can do without."""

from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime

from django.apps import apps
from django.db import DEFAULT_DB_ALIAS, Error, connections, router

from seeder.conf import Settings
from seeder.errors import ConfigurationError, ReadOnly, SessionsPooled
from seeder.postgres import contract, server_activity, session_sharing, sessions
from seeder.texts import Text


def require_all(settings: Settings) -> datetime:
    """Check all conditions, and return the server's time.

    Raises `SessionsPooled`, `ReadOnly` or `ConfigurationError`.
    """
    require_default_database()
    database = DEFAULT_DB_ALIAS
    state = sessions.session_state(database)
    if state.is_behind_proxy and session_sharing.shares_session(database):
        raise SessionsPooled(alias=database)
    if state.is_read_only:
        raise ReadOnly(alias=database, database=connections[database].settings_dict["NAME"])
    # PostgreSQL cancels a blocking autovacuum only after deadlock_timeout; with less, every refresh would fail.
    if settings.lock_timeout_ms <= state.deadlock_timeout_ms:
        expected = Text("more than the server's deadlock_timeout, which is {value} ms", value=state.deadlock_timeout_ms)
        raise ConfigurationError(setting="SEEDER_LOCK_TIMEOUT_MS", value=settings.lock_timeout_ms, expected=expected)
    return state.now


def require_default_database() -> None:
    """Require that routers send seeder's models to the default database.

    It has the locks for their rows.

    Raises `ConfigurationError`, also if a router only reads from a replica. Needs no database.
    """
    for model in apps.get_app_config("seeder").get_models():
        for alias in (router.db_for_read(model), router.db_for_write(model)):
            if alias != DEFAULT_DB_ALIAS:
                setting = Text("The database that DATABASE_ROUTERS choose for {model}", model=model._meta.label)
                wanted = Text("{alias!r}; SEEDER['DATABASES'] is for the databases of views", alias=DEFAULT_DB_ALIAS)
                raise ConfigurationError(setting=setting, value=alias, expected=wanted)


def missing_features(settings: Settings, databases: Iterable[str], tables: contract.OptionalTables) -> Iterable[str]:
    """Yield the features that this run lacks, as sentences. Several missing tables are one, as after an upgrade."""
    several = tables.missing if len(tables.missing) > 1 else frozenset[str]()
    if several:
        names = ", ".join(f"{contract.SCHEMA}.{table}" for table in sorted(several))
        yield Text(
            "Optional tables are missing: {tables}. The run works without them. `manage.py doctor` says what is lost,"
            " and `manage.py install_schema` creates them.",
            tables=names,
        )
    for table, reason in tables.unusable.items():
        if table not in several:
            yield Text(
                "{reason}. {lost_feature} `manage.py doctor` says what to do.",
                reason=reason,
                lost_feature=contract.optional_tables()[table],
            )
    for database in databases if settings.max_db_active_queries else ():
        with suppress(Error):  # the refreshes in that database report it
            if not server_activity.can_see_all_sessions(database):
                yield Text(
                    "Seeder's role in {database} may not see what other roles do, so SEEDER_MAX_DB_ACTIVE_QUERIES"
                    " counts only its own queries: GRANT pg_read_all_stats to it.",
                    database=database,
                )
