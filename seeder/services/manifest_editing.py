"""Creates and changes manifests. No other module writes the manifest tables.

A change validates the query, and compares the version that the user has seen with the row. The admin's log and an event
record it, without the query.
"""

from collections.abc import Mapping
from dataclasses import asdict, replace
from functools import partial
from typing import Any, TypeVar

from django.db import DEFAULT_DB_ALIAS, transaction
from django.db.models import QuerySet

from seeder.domain import lock_keys
from seeder.domain.manifest_edits import Agency, EditAction, ReportDefinition, require_valid_definition
from seeder.domain.manifests import ManifestKey, ReportType
from seeder.manifest_errors import (
    AlreadySubscribed,
    ManifestChanged,
    ManifestExists,
    QueryRefused,
    ReportExists,
    UnknownManifest,
)
from seeder.models import CannedReport, CannedReportManifest, CustomReportManifest
from seeder.postgres import advisory_locks
from seeder.postgres.sqlstates import translate_database_errors
from seeder.postgres.transactions import atomic
from seeder.services import admin_log, manifest_access, query_validation
from seeder.services.manifest_access import DEFINITION_FIELDS, Editor
from seeder.services.structured_log import INFO, log_event
from seeder.texts import Text

_Report = TypeVar("_Report", CustomReportManifest, CannedReport)
_Row = TypeVar("_Row", CustomReportManifest, CannedReport, CannedReportManifest)


@translate_database_errors(DEFAULT_DB_ALIAS)
def create_custom_manifest(
    definition: ReportDefinition, agency: Agency, *, enabled: bool, editor: Editor
) -> CustomReportManifest:
    """Create an agency's own report.

    A repeated call is refused, so that a lost answer never leads to a second manifest of the same view.
    Raises `ManifestEditError`, `ManifestError` or `DatabaseError`, as all functions of this module do.
    """
    manifest_access.require_editing(CustomReportManifest)
    agency = manifest_access.require_agency(agency.slug, agency.id, editor)
    _require_valid(definition, editor)
    values = {"agency_slug": agency.slug, "agency_id": agency.id, "enabled": enabled}
    with atomic():
        if existing := _same_definition(CustomReportManifest.objects.filter(agency_slug=agency.slug), definition):
            raise ManifestExists(agency=agency.slug, table=definition.table_name, manifest_id=existing.pk)
        return _insert(CustomReportManifest(**asdict(definition), **values), editor)


@translate_database_errors(DEFAULT_DB_ALIAS)
def change_custom_manifest(
    manifest_id: int, changes: Mapping[str, Any], *, version: str | None, editor: Editor
) -> CustomReportManifest:
    """Change fields of a definition or `enabled`. Without a version, also what another user has just changed."""
    manifest_access.require_editing(CustomReportManifest)
    row = manifest_access.require_row(manifest_access.custom_manifests(editor.agencies), manifest_id)
    return _change(row, changes, version=version, editor=editor, edited=(ReportType.CUSTOM, manifest_id))


@translate_database_errors(DEFAULT_DB_ALIAS)
def create_canned_report(definition: ReportDefinition, *, editor: Editor) -> CannedReport:
    """Create a report without subscribers. A repeated call is refused."""
    manifest_access.require_editing(CannedReport)
    _require_valid(definition, editor)
    with atomic():
        return _insert_report(definition, editor)


@translate_database_errors(DEFAULT_DB_ALIAS)
def create_canned_manifest(definition: ReportDefinition, agency: Agency, *, editor: Editor) -> CannedReportManifest:
    """Create a report with its first subscriber. A repeated call is refused."""
    manifest_access.require_editing(CannedReport)
    manifest_access.require_editing(CannedReportManifest)
    agency = manifest_access.require_agency(agency.slug, agency.id, editor)
    _require_valid(definition, editor)
    with atomic():
        report = _insert_report(definition, editor)
        row = CannedReportManifest(canned_report=report, agency_slug=agency.slug, agency_id=agency.id)
        return _insert(row, editor)


@translate_database_errors(DEFAULT_DB_ALIAS)
def change_canned_report(report_id: int, changes: Mapping[str, Any], *, version: str, editor: Editor) -> CannedReport:
    """Change a report, and so the view of all its subscribers. Raises `ReportShared` if the editor cannot see all."""
    manifest_access.require_editing(CannedReport)
    row = manifest_access.require_row(manifest_access.canned_reports(editor.agencies), report_id)
    manifest_access.require_all_subscribers(row, editor)
    return _change(row, changes, version=version, editor=editor, edited=(ReportType.CANNED, report_id))


@translate_database_errors(DEFAULT_DB_ALIAS)
def subscribe(report_id: int, agency: Agency, *, editor: Editor) -> CannedReportManifest:
    """Subscribe an agency to a canned report."""
    manifest_access.require_editing(CannedReportManifest)
    agency = manifest_access.require_agency(agency.slug, agency.id, editor)
    report = manifest_access.require_row(manifest_access.canned_reports(editor.agencies), report_id)
    with atomic():
        # Two users at once wait for each other: the contract has no unique index.
        CannedReport.objects.select_for_update().get(pk=report.pk)
        existing = CannedReportManifest.objects.filter(canned_report=report.pk, agency_slug=agency.slug)
        if existing.exists():
            raise AlreadySubscribed(agency=agency.slug, report=report.report_name)
        row = CannedReportManifest(canned_report=report, agency_slug=agency.slug, agency_id=agency.id)
        return _insert(row, editor)


@translate_database_errors(DEFAULT_DB_ALIAS)
def unsubscribe(subscription_id: int, *, editor: Editor) -> None:
    """Remove a subscription. The view and its history stay."""
    manifest_access.require_editing(CannedReportManifest)
    row = manifest_access.require_row(manifest_access.subscriptions(editor.agencies), subscription_id)
    with atomic():
        _record(EditAction.REMOVED, row, editor)
        row.delete()


def _require_valid(definition: ReportDefinition, editor: Editor, *, edited: ManifestKey | None = None) -> None:
    """Raise an error unless PostgreSQL accepts the definition, and its view is the editor's."""
    problem = query_validation.check(definition, editor=editor, can_see_data=False, edited=edited).problem
    if problem is not None:
        place = Text(" at line {line}, column {column}", line=problem.line, column=problem.column)
        raise QueryRefused(
            place=place if problem.line else "",
            message=problem.message,
            line=problem.line,
            column=problem.column,
            sqlstate=problem.sqlstate,
        )


def _insert_report(definition: ReportDefinition, editor: Editor) -> CannedReport:
    if existing := _same_definition(CannedReport.objects.all(), definition):
        raise ReportExists(report_id=existing.pk, table=definition.table_name)
    return _insert(CannedReport(**asdict(definition)), editor)


def _same_definition(rows: QuerySet[_Report], definition: ReportDefinition) -> _Report | None:
    """Return a row of the same view and query. Until the transaction ends, no other session creates one."""
    advisory_locks.lock(DEFAULT_DB_ALIAS, lock_keys.ADD_MANIFEST)  # the contract has no unique index
    same = {"table_name": definition.table_name, "query": definition.query, "database_id": definition.database_id}
    return rows.filter(**same).first()


def _insert(row: _Row, editor: Editor) -> _Row:
    with atomic():
        row.save(force_insert=True)
        _record(EditAction.CREATED, row, editor)
    return row


def _change(
    row: _Report, changes: Mapping[str, Any], *, version: str | None, editor: Editor, edited: ManifestKey
) -> _Report:
    before = manifest_access.definition_of(row)
    after = replace(before, **{name: value for name, value in changes.items() if name in DEFINITION_FIELDS})
    if not after.has_same_view(before):
        _require_valid(after, editor, edited=edited)
    elif after != before:
        require_valid_definition(after)
    with atomic():
        current = type(row)._base_manager.select_for_update().filter(pk=row.pk).first()
        if current is None:
            raise UnknownManifest(kind=row._meta.verbose_name, manifest_id=row.pk)
        if version is not None and manifest_access.row_version(current) != version:
            raise ManifestChanged(manifest=str(current))
        changed = [name for name, value in changes.items() if getattr(current, name) != value]
        if changed:
            for name in changed:
                setattr(current, name, changes[name])
            current.save(update_fields=changed)
            _record(EditAction.CHANGED, current, editor, fields=changed)
    return current


def _record(
    action: EditAction,
    row: CustomReportManifest | CannedReport | CannedReportManifest,
    editor: Editor,
    *,
    fields: list[str] | None = None,
) -> None:
    """Write to the admin's log in this transaction, and log an event after its commit."""
    admin_log.write(action, row, user_id=editor.user_id, fields=fields)
    event = partial(
        log_event,
        INFO,
        "manifest_edited",
        action=action,
        kind=str(row._meta.verbose_name),
        manifest_id=row.pk,
        view=getattr(row, "table_name", None),
        agency=getattr(row, "agency_slug", None),
        fields=tuple(fields) if fields else None,
        user=editor.name,
    )
    transaction.on_commit(event)
