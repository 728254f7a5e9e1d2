"""System checks: the settings, and the contract's tables as the models, contract.sql and the database know them."""

from collections.abc import Sequence
from typing import Any

from django.core import checks
from django.db import DEFAULT_DB_ALIAS, DatabaseError

from seeder import conf
from seeder.errors import ConfigurationError
from seeder.postgres import contract


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
    """seeder.E002: a model that does not map its table as contract.sql creates it, in either direction."""
    written, mapped = contract.written(), contract.mapped(DEFAULT_DB_ALIAS)
    apart = [*contract.differences(written, mapped), *contract.differences(mapped, written)]
    return [
        checks.Error(f"The models do not map the contract: {difference}.", id="seeder.E002") for difference in apart
    ]


@checks.register(checks.Tags.database)
def database_matches_the_contract(databases: Sequence[str] | None = None, **_: Any) -> Sequence[checks.CheckMessage]:
    """seeder.E003: a table or column that is missing. seeder.W004: a column of another type or nullability."""
    if DEFAULT_DB_ALIAS not in (databases or ()):
        return []
    try:
        apart = list(contract.differences(contract.written(), contract.connected(DEFAULT_DB_ALIAS)))
    except DatabaseError as error:
        return [checks.Error(f"The contract's tables cannot be looked at: {error}", id="seeder.E003")]
    hint = "Create what is missing with `manage.py install_schema`, or ask whoever owns that database to."
    return [
        checks.Error(f"{difference}.", hint=hint, id="seeder.E003")
        if difference.other is None
        else checks.Warning(f"{difference}.", hint="The owner of that table can alter it.", id="seeder.W004")
        for difference in apart
    ]
