"""Missing views, and views that differ from their manifests' queries.

Queries are tried by creating views in a transaction that is rolled back, which hardly waits for locks.
"""

from collections.abc import Iterator

from django.db import Error

from seeder.domain.result_notes import definition_drift_note
from seeder.postgres import catalog
from seeder.postgres.catalog import Survey
from seeder.postgres.sqlstates import first_line, is_query_error
from seeder.services.doctor.check_types import CheckedDatabase, Diagnosis, error_problem, info_problem, warning_problem
from seeder.services.doctor.checks.schema_privileges import CREATE_FORBIDDEN
from seeder.services.doctor.view_recreation import read_recreations
from seeder.services.run import planning

VIEW_MISSING = warning_problem(
    name="view_missing",
    area="views",
    meaning="A view does not exist yet.",
    fix="Nothing, if no other problem prevents it: the next run creates it, `manage.py refresh_table` at once.",
)
QUERY_REFUSED = error_problem(
    name="query_refused",
    area="views",
    meaning="A view is missing, and PostgreSQL refuses to create it from the manifest's query.",
    fix="Correct the query.",
)
DEFINITION_DRIFT = warning_problem(
    name="definition_drift",
    area="views",
    meaning="A view was created from another query than its manifest's, or PostgreSQL now rejects that query.",
    fix="If the manifest is right, the owner or a superuser can recreate the view with its indexes, grants, comments"
    " and options. Readers wait; if a statement fails, nothing changes. Otherwise restore the old query in the"
    " manifest.",
)
DRIFT_UNKNOWN = info_problem(
    name="drift_unknown",
    area="views",
    meaning="A query could not be compared with its view: a lock, or a missing privilege.",
    fix="Run the doctor again later. Seeder's role needs TEMPORARY, and USAGE on the schemas that the query reads.",
)


def check(database: CheckedDatabase) -> Iterator[Diagnosis]:
    """Report missing views even if queries cannot be compared."""
    survey = None
    try:
        if database.compares_queries:
            survey = catalog.survey(
                database.alias,
                planning.queries_by_view(database.selection).get(database.alias, {}),
                known_definitions=planning.load_definitions(database.alias),
                lock_wait=catalog.MINIMAL_LOCK_WAIT,
                on_progress=database.on_progress,
            )
    except Error:
        yield from _check_missing(database, None)
        raise
    yield from _check_missing(database, survey)
    if survey:
        yield from _check_drift(database, survey)
        for (view, _), reason in sorted(survey.undetermined.items()):
            relation = database.relations.get(view)
            if relation and relation.relkind == "m":  # a missing view can have a second query
                yield DRIFT_UNKNOWN.found(str(view), message=reason)


def _check_missing(database: CheckedDatabase, survey: Survey | None) -> Iterator[Diagnosis]:
    closed_schemas = {schema.name for schema in database.schemas if not schema.can_create}  # reported as such
    for view in database.missing_views:
        error = survey.refused.get(view) if survey else None
        if error and is_query_error(error):
            yield QUERY_REFUSED.found(str(view), message=first_line(error))
        elif error and view.schema not in closed_schemas:
            fix = "The owner of that object can grant the privilege, such as USAGE on a schema that the query reads."
            yield CREATE_FORBIDDEN.found(str(view), message=first_line(error), fix=fix)
        else:
            yield VIEW_MISSING.found(str(view))


def _check_drift(database: CheckedDatabase, survey: Survey) -> Iterator[Diagnosis]:
    found = planning.definition_drift(database.selection, database.alias, survey)
    drifts = [(key.name, drift) for key, drifts in found.items() for drift in drifts]
    queries = {
        database.relations[view].oid: drift.manifest.query
        for view, drift in drifts
        if view in database.relations and drift.cause is None and drift.manifest.query == database.views[view].query
    }
    recreations = read_recreations(database, queries) if queries else {}
    for view, drift in drifts:
        spec, relation = database.views[view], database.relations.get(view)
        recreation = recreations.get(relation.oid) if relation and drift.manifest.query == spec.query else None
        fix, sql = "Decide which query is right: the old one, or a corrected one.", ""
        if recreation and drift.cause is None:
            fix, sql = " ".join((DEFINITION_DRIFT.fix, *recreation.limits)), recreation.sql
        elif len({manifest.query for manifest in spec.manifests}) > 1:
            fix = "Its manifests have different queries: decide which is right, and use it in all of them."
        yield DEFINITION_DRIFT.found(str(view), message=definition_drift_note(drift), fix=fix, sql=sql)
