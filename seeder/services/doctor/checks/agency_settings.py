"""Settings that name a missing callable or model of the host."""

from collections.abc import Iterator

from seeder.errors import ConfigurationError
from seeder.services.doctor.check_types import CheckedDatabase, Diagnosis, Level, Problem
from seeder.services.read_models import agency_scope

SETTING_WRONG = Problem(
    name="setting_wrong",
    level=Level.ERROR,
    area="settings",
    meaning="`SEEDER_AGENCY_SCOPE` or `SEEDER_AGENCY_MODEL` does not exist (`seeder.E015`): the API and the pages deny"
    " all requests.",
    fix="Correct it in the host's settings.",
)


def check(database: CheckedDatabase) -> Iterator[Diagnosis]:
    if database.is_default:
        try:
            agency_scope.validate_settings()
        except ConfigurationError as error:
            yield SETTING_WRONG.found(str(error.facts["setting"]), message=str(error))
