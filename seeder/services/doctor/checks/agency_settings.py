"""Settings that name a missing callable or model of the host."""

from collections.abc import Iterator

from seeder.errors import ConfigurationError
from seeder.services.doctor.check_types import CheckedDatabase, Diagnosis, error_problem
from seeder.services.read_models import agency_scope

SETTING_WRONG = error_problem(
    name="setting_wrong",
    area="settings",
    meaning="`SEEDER_AGENCY_SCOPE` or `SEEDER_AGENCY_MODEL` does not exist (`seeder.E015`): API and pages deny access.",
    fix="Correct it in the host's settings.",
)


def check(database: CheckedDatabase) -> Iterator[Diagnosis]:
    if database.is_default:
        try:
            agency_scope.validate_settings()
        except ConfigurationError as error:
            yield SETTING_WRONG.found(str(error.facts["setting"]), message=str(error))
