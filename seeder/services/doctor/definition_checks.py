"""Comparison of manifest queries with view definitions.

It creates temporary views in a transaction that is rolled back.
"""

from collections.abc import Iterator, Sequence

from seeder.domain.doctor import view_rules
from seeder.domain.doctor.diagnosis import Diagnosis, Problem
from seeder.domain.doctor.view_rules import ManifestSchema
from seeder.domain.plan import DefinitionDrift
from seeder.domain.result_notes import definition_drift_note
from seeder.postgres import catalog, doctor_view_queries
from seeder.services import definition_cache
from seeder.services.doctor.check_context import CheckContext
from seeder.services.run import planning


def check_missing(context: CheckContext) -> Iterator[Diagnosis]:
    """Report missing views, if queries are not compared."""
    for view in sorted(
        context.views.keys() - doctor_view_queries.find_relations(context.alias, context.views.keys()).keys()
    ):
        yield view_rules.diagnose_missing_view(view, context.role, creation_error=None)


def check_queries(context: CheckContext) -> Iterator[Diagnosis]:
    """Report missing views, errors in creating them, and definition drift.

    Waits only a minimal time for locks. A locked view is reported as not compared.
    """
    queries = planning.queries_by_view(context.selection).get(context.alias, {})
    seen = catalog.survey(
        context.alias,
        queries,
        known_definitions=definition_cache.load_definitions(context.alias),
        lock_wait=catalog.MINIMAL_LOCK_WAIT,
        on_progress=context.on_progress,
    )
    closed = {schema.name for schema in _schemas(context) if not schema.can_create}
    for view in sorted(context.views.keys() - seen.row_counts.keys()):
        refused = seen.refused.get(view)
        if refused and refused.is_privilege_error and view.schema not in closed:
            yield view_rules.diagnose_creation_forbidden(view, context.role, reason=refused.message)
        else:
            why = refused.message if refused and not refused.is_privilege_error else None
            yield view_rules.diagnose_missing_view(view, context.role, creation_error=why)
    yield from _check_drift(context, seen)
    found = doctor_view_queries.find_relations(context.alias, {view for view, _ in seen.undetermined})
    for (view, _), why in sorted(seen.undetermined.items()):
        if view in found and found[view].relkind == "m":  # a missing one may have a second query
            yield view_rules.diagnose_uncompared_query(view, context.role, reason=why)


def _schemas(context: CheckContext) -> Sequence[ManifestSchema]:
    return doctor_view_queries.schema_privileges(context.alias, {view.schema for view in context.views})


def _check_drift(context: CheckContext, survey: catalog.Survey) -> Iterator[Diagnosis]:
    found = planning.definition_drift(context.selection, context.alias, survey)
    drifts = [(key.name, drift) for key, drifts in found.items() for drift in drifts]
    kept = doctor_view_queries.recreate_statements(context.alias, {view for view, _ in drifts}) if drifts else {}
    for view, drift in drifts:
        can = drift.cause is None and view in kept and drift.manifest.query == context.views[view].query
        yield Diagnosis(
            problem=Problem.DEFINITION_DRIFT,
            database=context.alias,
            subject=str(view),
            message=definition_drift_note(drift),
            fix="If the manifest is right, its owner can create the view anew, with its indexes and grants; readers"
            " wait, and views that read it have to be dropped before and created after:"
            if can
            else "Its manifests ask for different queries: decide which is right, and write that into all of them."
            if len({manifest.query for manifest in context.views[view].manifests}) > 1
            else "Decide which is right.",
            sql=_recreate_sql(drift, *kept[view]) if can else "",
        )


def _recreate_sql(drift: DefinitionDrift, sql: str, recreate_statements: Sequence[str]) -> str:
    """The statements that recreate a view; `sql` is its quoted name.

    The semicolon has its own line, because the query can end with a comment.
    """
    statements = [f"DROP MATERIALIZED VIEW {sql};", f"CREATE MATERIALIZED VIEW {sql} AS\n{drift.manifest.query}\n;"]
    return "\n".join(["BEGIN;", *statements, *(f"{statement};" for statement in recreate_statements), "COMMIT;"])
