"""System checks: the settings, and the contract's tables as the models, contract.sql and the database know them."""

from collections.abc import Sequence
from typing import Any

from django.core import checks
from django.db import DEFAULT_DB_ALIAS

from seeder import conf
from seeder.errors import ConfigurationError, DatabaseError
from seeder.services import schema


@checks.register()
def settings_are_sane(**_: Any) -> Sequence[checks.CheckMessage]:
    """seeder.E001: a setting that cannot be read."""
    try:
        conf.load()
    except ConfigurationError as error:
        return [checks.Error(str(error), id="seeder.E001")]
    return []


@checks.register(checks.Tags.models)
def models_match_the_contract(**_: Any) -> Sequence[checks.CheckMessage]:
    """seeder.E002: a model that does not map its table as contract.sql creates it, in either direction.
    seeder.E005: the default database is no PostgreSQL."""
    if not schema.is_postgresql(DEFAULT_DB_ALIAS):
        return [checks.Error("seeder needs a PostgreSQL database as DATABASES['default'].", id="seeder.E005")]
    return [
        checks.Error(f"The models do not map the contract: {difference}.", id="seeder.E002")
        for difference in schema.models_apart(DEFAULT_DB_ALIAS)
    ]


@checks.register(checks.Tags.database)
def database_matches_the_contract(databases: Sequence[str] | None = None, **_: Any) -> Sequence[checks.CheckMessage]:
    """seeder.E003: a table or column that is missing. seeder.W004: a column of another type or nullability."""
    if DEFAULT_DB_ALIAS not in (databases or ()) or not schema.is_postgresql(DEFAULT_DB_ALIAS):
        return []
    try:
        apart = schema.database_apart(DEFAULT_DB_ALIAS)
    except DatabaseError as error:
        return [checks.Error(str(error), id="seeder.E003")]
    hint = "Create missing tables with `manage.py install_schema`, or ask whoever owns that database to."
    return [
        checks.Error(f"{difference}.", hint=hint, id="seeder.E003")
        if difference.other is None
        else checks.Warning(f"{difference}.", hint="The owner of that table can alter it.", id="seeder.W004")
        for difference in apart
    ]
