"""System checks: the settings, and the contract's tables as the models, contract.sql and the database know them."""

from collections.abc import Sequence
from typing import Any

from django.core import checks
from django.db import DEFAULT_DB_ALIAS

from seeder import conf
from seeder.errors import ConfigurationError, DatabaseError
from seeder.postgres.contract import ContractDifference
from seeder.services import contract_check
from seeder.services.queue import dispatch, schedules
from seeder.services.read_models import agency_scope
from seeder.services.run import preconditions


@checks.register()
def settings_are_sane(**_: Any) -> Sequence[checks.CheckMessage]:
    """seeder.E001: a setting that cannot be read."""
    try:
        conf.load()
    except ConfigurationError as error:
        return [checks.Error(str(error), id="seeder.E001")]
    return []


@checks.register()
def who_may_see_what_is_known(**_: Any) -> Sequence[checks.CheckMessage]:
    """seeder.E015: a callable or a model that the settings name and that is not there. Silent where seeder.E001 speaks,
    as that says it first."""
    if settings_are_sane():
        return []
    try:
        agency_scope.validate_settings()
    except ConfigurationError as error:
        return [checks.Error(str(error), id="seeder.E015")]
    return []


@checks.register()
def queue_is_set_right(**_: Any) -> Sequence[checks.CheckMessage]:
    """seeder.E007: a cron expression that means no time. seeder.E008 to seeder.E014: settings of the queue with which
    tasks would be run twice, lost or left hanging. Silent where there is no queue, or where seeder.E001 speaks."""
    try:
        settings = conf.load()
    except ConfigurationError:
        return []
    return [
        *(
            checks.Error(f"{setting} is {cron!r}, which means no time: {why}", id="seeder.E007")
            for setting, cron, why in schedules.schedule_problems(settings)
        ),
        *(
            (checks.Error if fault.is_error else checks.Warning)(fault.message, hint=fault.hint, id=fault.check_id)
            for fault in dispatch.settings_problems(settings)
        ),
    ]


@checks.register(checks.Tags.models)
def models_match_the_contract(**_: Any) -> Sequence[checks.CheckMessage]:
    """seeder.E002: a model that does not map its table as contract.sql creates it, in either direction.
    seeder.E005: the default database is no PostgreSQL. seeder.E016: our models are sent to another one."""
    try:
        preconditions.require_default_database()
    except ConfigurationError as error:
        return [checks.Error(str(error), hint="Let the router return None for the app seeder.", id="seeder.E016")]
    if not contract_check.is_postgresql(DEFAULT_DB_ALIAS):
        return [checks.Error("seeder needs a PostgreSQL database as DATABASES['default'].", id="seeder.E005")]
    return [
        checks.Error(f"The models do not map the contract: {difference}.", id="seeder.E002")
        for difference in contract_check.model_differences(DEFAULT_DB_ALIAS)
    ]


@checks.register(checks.Tags.database)
def database_matches_the_contract(databases: Sequence[str] | None = None, **_: Any) -> Sequence[checks.CheckMessage]:
    """seeder.W003: a table or column that is missing. seeder.W004: a column of another type or nullability.
    seeder.I006: an optional table that is missing. seeder.W006: one that differs, and so is not used either.

    Never an error: `migrate` asks this before it begins, and would refuse the very migrations, be it of another app,
    that create what is missing."""
    if DEFAULT_DB_ALIAS not in (databases or ()) or not contract_check.is_postgresql(DEFAULT_DB_ALIAS):
        return []
    try:
        apart = contract_check.database_differences(DEFAULT_DB_ALIAS)
    except DatabaseError as error:
        return [checks.Warning(str(error), id="seeder.W003")]
    return [_message(difference) for difference in apart]


def _message(difference: ContractDifference) -> checks.CheckMessage:
    install = "Create missing tables with `manage.py install_schema`, or ask whoever owns that database to."
    alter = "The owner of that table can alter it."
    match difference:
        case ContractDifference(lost_feature=str(without), column=None):
            return checks.Info(f"{difference}. It is optional; without it {without}", hint=install, id="seeder.I006")
        case ContractDifference(lost_feature=str(without)):
            return checks.Warning(
                f"{difference}. It is not used as it is; without it {without}", hint=alter, id="seeder.W006"
            )
        case ContractDifference(actual=None):
            return checks.Warning(f"{difference}.", hint=install, id="seeder.W003")
        case _:
            return checks.Warning(f"{difference}.", hint=alter, id="seeder.W004")
