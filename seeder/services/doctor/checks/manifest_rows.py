"""Manifests that no run can use."""

from collections.abc import Iterator

from seeder.services.doctor.check_types import CheckedDatabase, Diagnosis, error_problem
from seeder.texts import Text

BAD_NAME = error_problem(
    name="bad_name",
    area="manifests",
    meaning=Text("A manifest's `table_name` is not a view's name: three parts, an empty one, or one over 63 bytes."),
    fix=Text("Correct `table_name` in the manifest."),
)
DATABASE_UNMAPPED = error_problem(
    name="database_unmapped",
    area="manifests",
    meaning=Text("A manifest's `database_id` is not in `SEEDER['DATABASES']`."),
    fix=Text("Correct `database_id` in the manifest, or add the id to the setting."),
)
REPORT_MISSING = error_problem(
    name="report_missing",
    area="manifests",
    meaning=Text("An agency subscribes to a canned report that does not exist."),
    fix=Text("Delete the subscription, or restore the report."),
)
# Named like the reasons of rejected manifests.
_PROBLEMS = {problem.name: problem for problem in (BAD_NAME, DATABASE_UNMAPPED, REPORT_MISSING)}


def check(database: CheckedDatabase) -> Iterator[Diagnosis]:
    for rejected in database.selection.rejected if database.is_default else ():
        manifest = rejected.manifest
        subject = Text(
            "{report_type} manifest {manifest_id} of {agency}",
            report_type=manifest.report_type,
            manifest_id=manifest.manifest_id,
            agency=manifest.agency_slug,
        )
        yield _PROBLEMS[rejected.reason].found(subject, message=rejected.message)
