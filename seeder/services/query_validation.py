"""Validates a manifest's query before it is stored: nothing remains of the trial."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from django.db import DEFAULT_DB_ALIAS

from seeder import conf
from seeder.domain.manifest_edits import ReportDefinition, require_valid_definition
from seeder.domain.manifests import ManifestKey, ReportType
from seeder.domain.query_trials import QueryTrial, TrialWarning, WarningCode
from seeder.domain.view_names import ViewName
from seeder.errors import DatabaseUnmapped
from seeder.models import CannedReport, CustomReportManifest
from seeder.postgres import query_trials, view_survey
from seeder.postgres.sqlstates import translate_database_errors
from seeder.services import manifest_access
from seeder.services.manifest_access import Editor
from seeder.services.read_models import agency_scope, error_redaction
from seeder.texts import Text

_VIEW_KEPT = Text(
    "The view exists with another definition. A refresh keeps it: recreate the view to apply the query."
    " The doctor (manage.py doctor) has the statements."
)


def can_see_data(user: Any) -> bool:
    """Return whether a user may see the first rows, as in complete error messages."""
    return bool(user.has_perm(error_redaction.PERMISSION))


def check(
    definition: ReportDefinition, *, editor: Editor, can_see_data: bool, edited: ManifestKey | None = None
) -> QueryTrial:
    """Return what PostgreSQL says about a query. `edited` is the report that has it, by the id of its row.

    Raises `EditingOff`, `BadName`, `BadManifest`, `DatabaseUnmapped`, `ViewTaken`, or `DatabaseError` if the database
    cannot answer.
    """
    manifest_access.require_setting()
    view = require_valid_definition(definition)
    database = database_of(definition.database_id)
    with translate_database_errors(database):
        manifest_access.require_own_view(view, database, editor)
        trial = query_trials.try_query(database, view, definition.query, can_see_data=can_see_data)
        if trial.problem:
            return trial
        compared = view_survey.compare_with_views(database, {view: [definition.query]})
    warnings = [*trial.warnings]
    if compared.drift:
        warnings.append(TrialWarning(code=WarningCode.VIEW_KEPT, message=_VIEW_KEPT))
    with translate_database_errors(DEFAULT_DB_ALIAS):
        warnings += _other_query_warnings(definition, view, edited)
    return replace(trial, warnings=tuple(warnings))


def database_of(database_id: int) -> str:
    """Return the alias of a manifest's database. Raises `DatabaseUnmapped`."""
    databases = conf.load().databases
    if databases and database_id not in databases:
        raise DatabaseUnmapped(database_id=database_id, mapped=sorted(databases))
    return databases.get(database_id, DEFAULT_DB_ALIAS)


def _other_query_warnings(
    definition: ReportDefinition, view: ViewName, edited: ManifestKey | None
) -> Iterator[TrialWarning]:
    """Warn of reports that have the view with another query, as a plan reports it."""
    spellings = agency_scope.manifest_spellings(definition.table_name)
    database = database_of(definition.database_id)
    others = [
        Text("{report_type} report {id}", report_type=kind, id=row.pk)
        for kind, rows in ((ReportType.CUSTOM, CustomReportManifest.objects), (ReportType.CANNED, CannedReport.objects))
        for row in rows.filter(table_name__in=spellings).exclude(query=definition.query).order_by("pk")
        if (kind, row.pk) != edited and conf.load().databases.get(row.database_id, DEFAULT_DB_ALIAS) == database
    ]
    if others:
        yield TrialWarning(
            code=WarningCode.OTHER_QUERY,
            message=Text(
                "{view} has another query in {reports}. A view is created from the query of its first manifest, custom"
                " before canned, lowest id first; the others are reported as definition drift.",
                view=str(view),
                reports=Text.joined(others),
            ),
        )
