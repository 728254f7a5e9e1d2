"""Which manifests a user may see and change, and why nothing can be changed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self, TypeVar

from django.db import DEFAULT_DB_ALIAS
from django.db.models import Exists, Model, OuterRef, QuerySet

from seeder import conf
from seeder.domain.manifest_edits import MAX_INTEGER, Agency, ReportDefinition, require_valid_agency, version_of
from seeder.domain.view_names import ViewName
from seeder.manifest_errors import (
    BadManifest,
    EditingOff,
    ReportShared,
    UnknownManifest,
    ViewTaken,
    WritingForbidden,
)
from seeder.models import CannedReport, CannedReportManifest, CustomReportManifest
from seeder.postgres import catalog, contract, sessions
from seeder.postgres.named_statements import STATEMENTS
from seeder.services.read_models import agency_scope
from seeder.texts import Text

VIEW_PERMISSION, EDIT_PERMISSION = "seeder.view_manifests", "seeder.edit_manifests"

DEFINITION_FIELDS = ("table_name", "report_name", "query", "database_id")
_PRIVILEGES: Mapping[type[Model], list[str]] = {
    CustomReportManifest: ["INSERT", "UPDATE"],
    CannedReport: ["INSERT", "UPDATE"],
    CannedReportManifest: ["INSERT", "DELETE"],
}
_Row = TypeVar("_Row", CustomReportManifest, CannedReport, CannedReportManifest)


@dataclass(frozen=True, kw_only=True, slots=True)
class Editor:
    """The user of a change."""

    user_id: Any
    name: str
    agencies: list[str] | None  # slugs of the visible agencies, or None for all

    @classmethod
    def of(cls, user: Any) -> Self:
        """Raises `ConfigurationError` if the agencies of the user are unknown."""
        return cls(user_id=user.pk, name=user.get_username(), agencies=agency_scope.agencies_of(user))


def require_setting() -> None:
    """Raise `EditingOff` unless the setting allows to try and to store queries."""
    if not conf.load().allow_manifest_editing:
        raise EditingOff


def require_editing(model: type[Model]) -> None:
    """Raise `EditingOff` or `WritingForbidden` if rows of this model cannot be changed here."""
    require_setting()
    require_privileges(model, _PRIVILEGES[model])


def require_privileges(model: type[Model], privileges: list[str]) -> None:
    """Raise `WritingForbidden` unless this process's role has these privileges on the table of a model."""
    table = model._meta.db_table.split(".")[1].strip('"')
    parameters = {"schema": contract.SCHEMA, "tables": [table], "privileges": privileges}
    if lacking := sessions.query(DEFAULT_DB_ALIAS, STATEMENTS["missing_privileges"], parameters):
        names = ", ".join(privilege for _, privilege, _ in lacking)
        raise WritingForbidden(role=lacking[0][-1], tables=f"{contract.SCHEMA}.{table}", privileges=names)


def why_read_only(model: type[Model]) -> str | None:
    """Return why rows of this model cannot be changed here, or None."""
    try:
        require_editing(model)
    except (EditingOff, WritingForbidden) as reason:
        return str(reason)
    return None


def custom_manifests(agencies: list[str] | None) -> QuerySet[CustomReportManifest]:
    """Return the custom manifests of these agencies (None: all)."""
    rows = CustomReportManifest.objects.all()
    return rows if agencies is None else rows.filter(agency_slug__in=agencies)


def subscriptions(agencies: list[str] | None) -> QuerySet[CannedReportManifest]:
    """Return the subscriptions of these agencies (None: all), even of missing reports."""
    rows = CannedReportManifest.objects.all()
    return rows if agencies is None else rows.filter(agency_slug__in=agencies)


def canned_reports(agencies: list[str] | None) -> QuerySet[CannedReport]:
    """Return the canned reports that these agencies subscribe to (None: all reports)."""
    rows = CannedReport.objects.all()
    return (
        rows if agencies is None else rows.filter(Exists(subscriptions(agencies).filter(canned_report=OuterRef("pk"))))
    )


def require_row(rows: "QuerySet[_Row]", row_id: int) -> _Row:
    """Return the row with this id. Raises `UnknownManifest`."""
    found = rows.filter(pk=row_id).first() if 0 < row_id <= MAX_INTEGER else None
    if found is None:
        raise UnknownManifest(kind=rows.model._meta.verbose_name, manifest_id=row_id)
    return found


def definition_of(row: CustomReportManifest | CannedReport) -> ReportDefinition:
    """Return the definition in a row."""
    return ReportDefinition(**{name: getattr(row, name) for name in DEFINITION_FIELDS})


def row_version(row: Model) -> str:
    """Return a hash of all values of a row, which changes with each of them."""
    return version_of([{field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}])


def require_all_subscribers(report: CannedReport, editor: Editor) -> None:
    """Raise `ReportShared` unless the editor may see every subscriber of a report."""
    everyone = CannedReportManifest.objects.filter(canned_report=report.pk)
    if editor.agencies is not None and everyone.exclude(agency_slug__in=editor.agencies).exists():
        raise ReportShared(report=report.report_name)


def require_own_view(view: ViewName, database: str, editor: Editor) -> None:
    """Raise `ViewTaken` if a user of some agencies names a view that is not theirs alone."""
    if editor.agencies is None:
        return
    spellings = agency_scope.manifest_spellings(str(view))
    is_theirs = str(view) in agency_scope.tables_of(editor.agencies)
    if has_other_agencies(spellings, editor.agencies) or (
        not is_theirs and (spellings or catalog.relation_state(database, view) is not None)
    ):
        raise ViewTaken(table=str(view))


def has_other_agencies(spellings: list[str], agencies: list[str]) -> bool:
    """Return whether manifests of further agencies name a view, by all spellings of its name."""
    custom = CustomReportManifest.objects.filter(table_name__in=spellings)
    canned = CannedReportManifest.objects.filter(canned_report__table_name__in=spellings)
    return any(rows.exclude(agency_slug__in=agencies).exists() for rows in (custom, canned))


def require_agency(slug: str, agency_id: int | None, editor: Editor) -> Agency:
    """Return an agency that the editor may see. Raises `BadManifest` if its id is missing or another one's."""
    if editor.agencies is not None and slug not in editor.agencies:
        raise BadManifest(field="agency_slug", problem=Text("it is none of your agencies"))
    require_valid_agency(Agency(slug=slug, id=agency_id or 0))
    known = {
        one
        for model in (CustomReportManifest, CannedReportManifest)
        for one in model._base_manager.filter(agency_slug=slug).values_list("agency_id", flat=True).distinct()
    }
    if agency_id is None and len(known) != 1:
        problem = Text("the manifests of {agency} do not determine it, so it is required", agency=slug)
        raise BadManifest(field="agency_id", problem=problem)
    if agency_id is not None and known and agency_id not in known:
        ids = ", ".join(map(str, sorted(known)))
        raise BadManifest(field="agency_id", problem=Text("manifests of {agency} have {ids}", agency=slug, ids=ids))
    return Agency(slug=slug, id=known.pop() if agency_id is None else agency_id)
