"""Materialized views that no manifest names."""

from collections.abc import Iterator

from seeder.domain.view_names import ViewName
from seeder.postgres import contract
from seeder.services.doctor.check_types import CheckedDatabase, Diagnosis, info_problem
from seeder.texts import Text

VIEW_WITHOUT_MANIFEST = info_problem(
    name="view_without_manifest",
    area="views",
    meaning=Text(
        "A materialized view, in a schema of manifests or in `reporting`, has no manifest, not even a disabled one."
        " It is not refreshed."
    ),
    fix=Text("Create a manifest, or DROP MATERIALIZED VIEW if it is not read."),
)


def check(database: CheckedDatabase) -> Iterator[Diagnosis]:
    schemas = sorted({contract.SCHEMA, *(view.schema for view in database.listed_views)})
    for schema, name in database.read("materialized_views", schemas=schemas):
        view = ViewName(schema=schema, name=name)
        if view not in database.listed_views:
            yield VIEW_WITHOUT_MANIFEST.found(str(view))
