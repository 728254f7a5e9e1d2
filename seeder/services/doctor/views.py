"""The views that manifests name, one by one, and those that none names."""

from collections.abc import Iterator, Mapping

from seeder.domain.doctor import view_rules
from seeder.domain.doctor.diagnosis import Diagnosis, Problem
from seeder.errors import BadName, DatabaseUnmapped, ReportMissing
from seeder.postgres import contract, doctor_view_queries
from seeder.services.doctor.patient import Patient

_COMPLAINTS: Mapping[str, tuple[Problem, str]] = {
    BadName.reason: (Problem.BAD_NAME, "Correct table_name in the manifest."),
    DatabaseUnmapped.reason: (
        Problem.DATABASE_UNMAPPED,
        "Correct database_id in the manifest, or map it in SEEDER['DATABASES'].",
    ),
    ReportMissing.reason: (Problem.REPORT_MISSING, "Delete the subscription, or restore the report."),
}


def of_manifests(patient: Patient) -> Iterator[Diagnosis]:
    """The manifests of which no run can make anything."""
    for complaint in patient.selection.rejected:
        manifest = complaint.manifest
        word, fix = _COMPLAINTS[complaint.reason]
        yield Diagnosis(
            problem=word,
            database=patient.alias,
            subject=f"{manifest.report_type} manifest {manifest.manifest_id} of {manifest.agency_slug}",
            message=complaint.message,
            fix=fix,
        )


def of_views(patient: Patient) -> Iterator[Diagnosis]:
    """What stands under their names, and whether it can be refreshed."""
    found = doctor_view_queries.find_relations(patient.alias, patient.views.keys())
    for one in found.values():
        yield from view_rules.check_view(one, patient.us, patient.concurrency)


def of_schemas(patient: Patient) -> Iterator[Diagnosis]:
    """Whether we may look into their schemas, and create there what is missing. Where runs are recorded, the contract's
    own schema is one of them."""
    found = doctor_view_queries.find_relations(patient.alias, patient.views.keys())
    missing = patient.views.keys() - found.keys()
    names = {view.schema for view in patient.views} | ({contract.SCHEMA} if patient.holds_history else set())
    for schema in doctor_view_queries.schema_privileges(patient.alias, names):
        of_it = sorted(view for view in missing if view.schema == schema.name)
        if schema.exists or of_it:  # where the contract's own is missing, so are its tables
            yield from view_rules.check_schema(schema, patient.us, missing_views=of_it)


def of_sources(patient: Patient) -> Iterator[Diagnosis]:
    """Whether who owns a view may read what it reads."""
    for view, role, source in doctor_view_queries.unreadable_sources(patient.alias, patient.views.keys()):
        yield view_rules.diagnose_forbidden_source(str(view), role, source, patient.us)


def of_unlisted(patient: Patient) -> Iterator[Diagnosis]:
    """Materialized views beside those that manifests name."""
    for view in doctor_view_queries.unlisted_views(patient.alias, patient.names):
        yield view_rules.diagnose_view_without_manifest(view, patient.us)


def of_indexes(patient: Patient) -> Iterator[Diagnosis]:
    """Indexes that were begun and not finished."""
    for relation, index, leftover in doctor_view_queries.invalid_indexes(patient.alias, patient.views.keys()):
        yield view_rules.diagnose_invalid_index(str(relation), index, patient.us, is_leftover=leftover)
