"""Settings that name a missing callable or model of the host, and variables that are no settings."""

from collections.abc import Iterator

from seeder import conf
from seeder.errors import ConfigurationError
from seeder.services.doctor.check_types import CheckedDatabase, Diagnosis, error_problem, warning_problem
from seeder.services.read_models import agency_scope
from seeder.texts import Text

SETTING_WRONG = error_problem(
    name="setting_wrong",
    area="settings",
    meaning=Text(
        "`SEEDER_AGENCY_SCOPE` or `SEEDER_AGENCY_MODEL` does not exist (`seeder.E015`): API and pages deny access."
    ),
    fix=Text("Correct it in the host's settings."),
)
VARIABLE_IGNORED = warning_problem(
    name="variable_ignored",
    area="settings",
    meaning=Text(
        "An environment variable begins with `SEEDER_` but has no effect (`seeder.W018`), such as a misspelt name."
    ),
    fix=Text("Correct the variable's name, or remove the variable."),
)


def check(database: CheckedDatabase) -> Iterator[Diagnosis]:
    if database.is_default:
        try:
            agency_scope.validate_settings()
        except ConfigurationError as error:
            yield SETTING_WRONG.found(str(error.facts["setting"]), message=str(error))
        for name, message in conf.ignored_variables():
            yield VARIABLE_IGNORED.found(name, message=message)
