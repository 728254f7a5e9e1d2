"""System checks of settings, models and tables.

`domain.system_check_hints` has their hints.
"""

from collections.abc import Callable, Sequence
from typing import Any

from django.apps import apps
from django.core import checks
from django.db import DEFAULT_DB_ALIAS, connection

from seeder import conf
from seeder.domain.notifications.channels import AppriseService
from seeder.domain.system_check_hints import SYSTEM_CHECK_HINTS
from seeder.errors import ConfigurationError, DatabaseError
from seeder.postgres.contract import ContractDifference
from seeder.services import contract_installation, extras
from seeder.services.queue import dispatch, schedules
from seeder.services.read_models import agency_scope
from seeder.services.run import preconditions


@checks.register
def check_settings(**_: Any) -> Sequence[checks.CheckMessage]:
    """Return E001 for an invalid setting."""
    return _configuration_error("seeder.E001", conf.load)


@checks.register
def check_environment(**_: Any) -> Sequence[checks.CheckMessage]:
    """Return W018 for each environment variable that looks like a setting but has no effect."""
    return [_message("seeder.W018", message) for _, message in conf.ignored_variables()]


@checks.register
def check_agency_settings(**_: Any) -> Sequence[checks.CheckMessage]:
    """Return E015 for a missing agency scope or model, unless E001 applies."""
    return [] if check_settings() else _configuration_error("seeder.E015", agency_scope.validate_settings)


@checks.register
def check_queue_settings(**_: Any) -> Sequence[checks.CheckMessage]:
    """Return E007 to E014 for queue settings, unless E001 applies or there is no queue."""
    if check_settings():
        return []
    settings = conf.load()
    return [
        *(_message("seeder.E007", str(problem)) for problem in schedules.schedule_problems(settings)),
        *(_message(problem.check_id, problem.message) for problem in dispatch.settings_problems(settings)),
    ]


@checks.register
def check_extras(**_: Any) -> Sequence[checks.CheckMessage]:
    """Return E017 for each extra that an app or a setting needs and that is not installed."""
    settings = None if check_settings() else conf.load()
    has_metrics_token = settings is not None and bool(settings.metrics_token)
    has_apprise = settings is not None and any(
        isinstance(one.receiver, AppriseService) for one in settings.notifications
    )
    needed = [
        (apps.is_installed("django_q"), extras.QUEUE, "The queue ('django_q' in INSTALLED_APPS)"),
        (apps.is_installed("rest_framework"), extras.API, "The API ('rest_framework' in INSTALLED_APPS)"),
        (has_metrics_token, extras.METRICS, "The metrics endpoint (METRICS_TOKEN)"),
        (has_apprise, extras.APPRISE, "A channel with 'apprise' (NOTIFICATIONS)"),
    ]
    problems = [extras.problem(extra, feature) for is_used, extra, feature in needed if is_used]
    return [_message("seeder.E017", str(problem)) for problem in problems if problem]


@checks.register(checks.Tags.models)
def check_models(**_: Any) -> Sequence[checks.CheckMessage]:
    """Return E002, E005 or E016 for models, database vendor or router."""
    if misrouted := _configuration_error("seeder.E016", preconditions.require_default_database):
        return misrouted
    if connection.vendor != "postgresql":
        return [_message("seeder.E005", "seeder needs a PostgreSQL database as DATABASES['default'].")]
    return [
        _message("seeder.E002", f"The models do not match the contract: {difference}.")
        for difference in contract_installation.model_differences(DEFAULT_DB_ALIAS)
    ]


@checks.register(checks.Tags.database)
def check_database(databases: Sequence[str] | None = None, **_: Any) -> Sequence[checks.CheckMessage]:
    """Return W003, W004, I006 and W006 for differences from the contract.

    Never an error: `migrate` runs this check first, and would refuse the migrations that create a missing table.
    """
    if DEFAULT_DB_ALIAS not in (databases or ()) or connection.vendor != "postgresql":
        return []
    try:
        differences = contract_installation.database_differences(DEFAULT_DB_ALIAS)
    except DatabaseError as error:
        return [_message("seeder.W003", str(error))]
    return [_difference_message(difference) for difference in differences]


def _difference_message(difference: ContractDifference) -> checks.CheckMessage:
    match difference:
        case ContractDifference(lost_feature=str(without), column=None):
            return _message("seeder.I006", f"{difference}. It is optional. {without}")
        case ContractDifference(lost_feature=str(without)):
            return _message("seeder.W006", f"{difference}. It is not used. {without}")
        case ContractDifference(actual=None):
            return _message("seeder.W003", f"{difference}.")
        case _:
            return _message("seeder.W004", f"{difference}.")


def _configuration_error(check_id: str, validate: Callable[[], object]) -> Sequence[checks.CheckMessage]:
    try:
        validate()
    except ConfigurationError as error:
        return [_message(check_id, str(error))]
    return []


def _message(check_id: str, message: str) -> checks.CheckMessage:
    level = {"E": checks.ERROR, "W": checks.WARNING, "I": checks.INFO}[check_id.removeprefix("seeder.")[0]]
    return checks.CheckMessage(level, message, hint=SYSTEM_CHECK_HINTS[check_id], id=check_id)
