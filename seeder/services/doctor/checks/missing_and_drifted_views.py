"""Missing views, and views that differ from their manifests' queries.

Queries are tried by creating views in a transaction that is rolled back, which hardly waits for locks.
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from operator import itemgetter

from django.db import Error
from django.db.transaction import atomic

from seeder.domain.result_notes import definition_drift_note
from seeder.domain.view_names import ViewName
from seeder.models import JobStatus
from seeder.postgres.creation_refusals import RefusalCause
from seeder.postgres.definition_comparison import Undetermined
from seeder.postgres.view_survey import Survey
from seeder.services.doctor.check_types import CheckedDatabase, Diagnosis, error_problem, info_problem, warning_problem
from seeder.services.doctor.checks.schema_privileges import CREATE_FORBIDDEN
from seeder.services.doctor.view_recreation import read_recreations
from seeder.services.run import planning
from seeder.texts import Text

VIEW_MISSING = warning_problem(
    name="view_missing",
    area="views",
    meaning=Text("A view does not exist yet."),
    fix=Text("Nothing, if no other problem prevents it: the next run creates it, `manage.py refresh_table` at once."),
)
QUERY_REFUSED = error_problem(
    name="query_refused",
    area="views",
    meaning=Text("A view is missing, and PostgreSQL refuses to create it from the manifest's query."),
    fix=Text("Correct the query."),
)
DEFINITION_DRIFT = warning_problem(
    name="definition_drift",
    area="views",
    meaning=Text("A view was created from another query than its manifest's, or PostgreSQL now rejects that query."),
    fix=Text(
        "If the manifest is right, the owner or a superuser can recreate the view with its indexes, grants, comments"
        " and options. Readers wait; if a statement fails, nothing changes. Otherwise restore the old query in the"
        " manifest."
    ),
)
DRIFT_UNKNOWN = info_problem(
    name="drift_unknown",
    area="views",
    meaning=Text("A query could not be compared with its view: a lock, or a missing privilege."),
    fix=Text("Run the doctor again later, or grant the privilege that the message names."),
)

_FAILED_FIX = Text("If it is not corrected yet, correct that, then run `manage.py refresh_table`.")
_DEPENDENCY_MISSING_FIX = Text(
    "It reads a view that does not exist either: correct that view's problem. The next run then creates both."
)


def check(database: CheckedDatabase) -> Iterator[Diagnosis]:
    """Report missing views even if queries cannot be compared."""
    try:
        survey = database.survey
    except Error:
        yield from _check_missing(database, None)
        raise
    yield from _check_missing(database, survey)
    if survey:
        yield from _check_drift(database, survey)
        yield from _check_undetermined(database, survey)


def _check_missing(database: CheckedDatabase, survey: Survey | None) -> Iterator[Diagnosis]:
    closed_schemas = {schema.name for schema in database.schemas if not schema.can_create}  # reported as such
    last_errors = _read_last_errors(database)
    for view in database.missing_views:
        refusal = survey.refused.get(view) if survey else None
        if refusal is None and (error := last_errors.get(view)):
            message = Text("Its last refresh failed: {error}", error=error)
            yield VIEW_MISSING.found(str(view), message=message, fix=_FAILED_FIX)
        elif refusal is None or view.schema in closed_schemas:
            yield VIEW_MISSING.found(str(view))
        elif refusal.cause is RefusalCause.QUERY:
            yield QUERY_REFUSED.found(str(view), message=refusal.message)
        elif refusal.cause is RefusalCause.MISSING_VIEW:
            yield VIEW_MISSING.found(str(view), message=refusal.message, fix=_DEPENDENCY_MISSING_FIX)
        elif refusal.cause is RefusalCause.PRIVILEGE:
            fix = Text(
                "The owner of that object can grant the privilege, such as USAGE on a schema that the query reads."
            )
            yield CREATE_FORBIDDEN.found(str(view), message=refusal.message, fix=fix)
        else:
            fix = Text("No view can be created there, so the query is not the cause.")
            fix = Text.joined([fix, _event_trigger_fix(database)], " ")
            yield CREATE_FORBIDDEN.found(str(view), message=refusal.message, fix=fix)


def _read_last_errors(database: CheckedDatabase) -> Mapping[ViewName, str]:
    """Return the errors of missing views whose last refresh failed. Some errors occur only when a query runs."""
    names = {name: view for view in database.missing_views for name in database.views[view].table_names}
    with suppress(Error), atomic():  # the check of the tables reports the cause
        failed = JobStatus.objects.filter(table_name__in=names, status="error")
        rows = failed.values_list("table_name", "last_errors")
        return {names[name]: " ".join((errors or "").split()) for name, errors in rows}
    return {}


def _event_trigger_fix(database: CheckedDatabase) -> Text:
    triggers = [
        Text("{trigger} (function {function})", trigger=name, function=function)
        for name, function in database.read("event_triggers", tag="CREATE VIEW")
    ]
    fix = Text("Correct what the message names. If it is a privilege, grant it to seeder's role.")
    if not triggers:
        return fix
    cause = Text("An event trigger can be the cause: {triggers}.", triggers=Text.joined(triggers))
    return Text.joined([cause, fix], " ")


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
        fix, sql = Text("Decide which query is right: the old one, or a corrected one."), ""
        if recreation and drift.cause is None:
            fix, sql = Text.joined([DEFINITION_DRIFT.fix, *recreation.limits], " "), recreation.sql
        elif len({manifest.query for manifest in spec.manifests}) > 1:
            fix = Text("Its manifests have different queries: decide which is right, and use it in all of them.")
        yield DEFINITION_DRIFT.found(str(view), message=definition_drift_note(drift), fix=fix, sql=sql)


def _check_undetermined(database: CheckedDatabase, survey: Survey) -> Iterator[Diagnosis]:
    for (view, _), undetermined in sorted(survey.undetermined.items(), key=itemgetter(0)):
        relation = database.relations.get(view)
        if relation and relation.relkind == "m":  # a missing view can have a second query
            fix, sql = _undetermined_fix(database, undetermined)
            yield DRIFT_UNKNOWN.found(str(view), message=undetermined.message, fix=fix, sql=sql)


def _undetermined_fix(database: CheckedDatabase, undetermined: Undetermined) -> tuple[str, str]:
    server = database.server
    if undetermined.is_locked:
        return Text("Run the doctor again later."), ""
    if undetermined.is_privilege_error and not server.can_create_temp:
        sql = f"GRANT TEMPORARY ON DATABASE {server.database} TO {server.role};"
        return Text("The comparison needs a temporary view. The owner of the database can grant it."), sql
    return _event_trigger_fix(database), ""
