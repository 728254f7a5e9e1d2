"""Views with and without manifests, their schemas, sources and indexes."""

from collections.abc import Iterator, Mapping

from seeder.domain.doctor import view_rules
from seeder.domain.doctor.diagnosis import Diagnosis, Problem
from seeder.errors import BadName, DatabaseUnmapped, ReportMissing
from seeder.postgres import contract, doctor_view_queries
from seeder.services.doctor.check_context import CheckContext

_MANIFEST_PROBLEMS: Mapping[str, tuple[Problem, str]] = {
    BadName.reason: (Problem.BAD_NAME, "Correct table_name in the manifest."),
    DatabaseUnmapped.reason: (
        Problem.DATABASE_UNMAPPED,
        "Correct database_id in the manifest, or map it in SEEDER['DATABASES'].",
    ),
    ReportMissing.reason: (Problem.REPORT_MISSING, "Delete the subscription, or restore the report."),
}


def check_manifests(context: CheckContext) -> Iterator[Diagnosis]:
    """Report manifests that no run can use."""
    for complaint in context.selection.rejected:
        manifest = complaint.manifest
        word, fix = _MANIFEST_PROBLEMS[complaint.reason]
        yield Diagnosis(
            problem=word,
            database=context.alias,
            subject=f"{manifest.report_type} manifest {manifest.manifest_id} of {manifest.agency_slug}",
            message=complaint.message,
            fix=fix,
        )


def check_views(context: CheckContext) -> Iterator[Diagnosis]:
    """Check that each relation is a view that can be refreshed."""
    found = doctor_view_queries.find_relations(context.alias, context.views.keys())
    for one in found.values():
        yield from view_rules.check_view(one, context.role, context.concurrency)


def check_schemas(context: CheckContext) -> Iterator[Diagnosis]:
    """Check the privileges on schemas: USAGE, and CREATE for missing views.

    On the history database this includes the schema of the contract.
    """
    found = doctor_view_queries.find_relations(context.alias, context.views.keys())
    missing = context.views.keys() - found.keys()
    names = {view.schema for view in context.views} | ({contract.SCHEMA} if context.is_history_database else set())
    for schema in doctor_view_queries.schema_privileges(context.alias, names):
        of_it = sorted(view for view in missing if view.schema == schema.name)
        if schema.exists or of_it:  # a missing contract schema is reported with its tables
            yield from view_rules.check_schema(schema, context.role, missing_views=of_it)


def check_sources(context: CheckContext) -> Iterator[Diagnosis]:
    """Check that the owner of each view may read its dependencies."""
    for view, role, source in doctor_view_queries.unreadable_sources(context.alias, context.views.keys()):
        yield view_rules.diagnose_forbidden_source(str(view), role, source, context.role)


def check_unlisted(context: CheckContext) -> Iterator[Diagnosis]:
    """Report materialized views that no manifest names."""
    for view in doctor_view_queries.unlisted_views(context.alias, context.names):
        yield view_rules.diagnose_view_without_manifest(view, context.role)


def check_indexes(context: CheckContext) -> Iterator[Diagnosis]:
    """Report invalid indexes, which an interrupted build leaves behind."""
    for relation, index, leftover in doctor_view_queries.invalid_indexes(context.alias, context.views.keys()):
        yield view_rules.diagnose_invalid_index(str(relation), index, context.role, is_leftover=leftover)
