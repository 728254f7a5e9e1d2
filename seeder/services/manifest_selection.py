"""Reads the manifest tables: rows become frozen values once, and bad rows become complaints."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass

from django.db import DEFAULT_DB_ALIAS

from seeder.domain.manifests import Manifest, RejectedManifest, ReportType, Selection, ViewKey, group_by_view
from seeder.domain.refresh_requests import AgencyReports, AllReports, RefreshRequest, SelectedManifests, SingleView
from seeder.domain.view_names import ViewName, did_you_mean, is_storable_text
from seeder.errors import BadName, DatabaseUnmapped, ManifestError, ReportMissing, UnknownAgency, UnknownTable
from seeder.models import CannedReport, CannedReportManifest, CustomReportManifest
from seeder.postgres.sqlstates import translate_database_errors


@dataclass(frozen=True, kw_only=True, slots=True)
class _ManifestRow:
    """An enabled manifest with what it says about its view."""

    manifest: Manifest
    database_id: int | None  # None where a subscription names a canned report that does not exist


def select(request: RefreshRequest, *, databases: Mapping[int, str]) -> Selection:
    """The enabled manifests that `request` asks for; `databases` maps a database_id to Django's alias.

    Raises `UnknownAgency` or `UnknownTable` where no manifest at all, enabled or not, carries that name.
    """
    with translate_database_errors(DEFAULT_DB_ALIAS):
        match request:
            case AllReports(report_type=only):
                rows = [
                    *(() if only is ReportType.CANNED else _custom_rows()),
                    *(() if only is ReportType.CUSTOM else _canned_rows()),
                ]
            case AgencyReports(slug=slug):
                rows = (
                    [*_custom_rows(agency_slug=slug), *_canned_rows(agency_slug=slug)] if is_storable_text(slug) else []
                )
                if not rows:
                    require_known_agency(slug)
            case SingleView(name=name):
                rows = [row for row in (*_custom_rows(), *_canned_rows()) if _names_view(row.manifest.table_name, name)]
                if not rows:
                    _require_known_view(name)
            case SelectedManifests(manifests=chosen):
                everybody = (*_custom_rows(), *_canned_rows())
                rows = [row for row in everybody if (row.manifest.report_type, row.manifest.manifest_id) in chosen]
    return _group_rows(rows, databases)


def all_listed_views(*, databases: Mapping[int, str]) -> frozenset[ViewKey]:
    """Every view that a manifest names, be it disabled, or a canned report to which nobody subscribes."""
    with translate_database_errors(DEFAULT_DB_ALIAS):
        rows = [
            *CustomReportManifest.objects.values_list("table_name", "database_id"),
            *CannedReport.objects.values_list("table_name", "database_id"),
        ]
    keys = set()
    for table_name, database_id in rows:
        with suppress(BadName):
            name = ViewName.parse(table_name)
            keys.add(ViewKey(database=databases.get(database_id, DEFAULT_DB_ALIAS), name=name))
    return frozenset(keys)


def _custom_rows(**only: object) -> Iterator[_ManifestRow]:
    for row in CustomReportManifest.objects.enabled().filter(**only).order_by("id"):
        yield _ManifestRow(manifest=_manifest(ReportType.CUSTOM, row, report=row), database_id=row.database_id)


def _canned_rows(**only: object) -> Iterator[_ManifestRow]:
    reports = CannedReport.objects.in_bulk()
    for row in CannedReportManifest.objects.filter(**only).order_by("id"):
        report = reports.get(row.canned_report_id)
        if report is None:
            gone = f"canned report {row.canned_report_id}"
            report = CannedReport(table_name=gone, report_name=gone, query="")
            yield _ManifestRow(manifest=_manifest(ReportType.CANNED, row, report=report), database_id=None)
        else:
            yield _ManifestRow(
                manifest=_manifest(ReportType.CANNED, row, report=report), database_id=report.database_id
            )


def _manifest(
    report_type: ReportType,
    row: CustomReportManifest | CannedReportManifest,
    *,
    report: CustomReportManifest | CannedReport,
) -> Manifest:
    return Manifest(
        report_type=report_type,
        manifest_id=row.pk,
        table_name=report.table_name,
        report_name=report.report_name,
        agency_id=row.agency_id,
        agency_slug=row.agency_slug,
        query=report.query,
    )


def _group_rows(rows: Iterable[_ManifestRow], databases: Mapping[int, str]) -> Selection:
    good, complaints = [], []
    for row in rows:
        try:
            good.append((_view_key(row, databases), row.manifest))
        except ManifestError as error:
            complaints.append(RejectedManifest(manifest=row.manifest, reason=error.reason, message=str(error)))
    return Selection(views=group_by_view(good), rejected=tuple(complaints))


def _view_key(row: _ManifestRow, databases: Mapping[int, str]) -> ViewKey:
    """Which view a row means. Raises `ManifestError` where it means none."""
    if row.database_id is None:
        raise ReportMissing(report=row.manifest.report_name)
    if databases and row.database_id not in databases:
        raise DatabaseUnmapped(database_id=row.database_id, mapped=sorted(databases))
    return ViewKey(
        database=databases.get(row.database_id, DEFAULT_DB_ALIAS), name=ViewName.parse(row.manifest.table_name)
    )


def is_manifest_in_database(report_type: str, manifest_id: int, database: str, *, databases: Mapping[int, str]) -> bool:
    """Whether the view of a manifest lives in the database of this alias."""
    if len({*databases.values()}) <= 1:
        return True
    if report_type == ReportType.CUSTOM:
        row: CustomReportManifest | CannedReport | None = CustomReportManifest.objects.filter(pk=manifest_id).first()
    else:
        row = CannedReport.objects.filter(cannedreportmanifest=manifest_id).first()
    return row is not None and databases.get(row.database_id) == database


def require_known_agency(slug: str) -> None:
    """Raise `UnknownAgency` unless a manifest names it, enabled or not: then it merely has nothing to refresh."""
    if not is_storable_text(slug):
        raise UnknownAgency(slug=slug, suggestion="")
    slugs = {
        *CustomReportManifest.objects.values_list("agency_slug", flat=True),
        *CannedReportManifest.objects.values_list("agency_slug", flat=True),
    }
    if slug not in slugs:
        raise UnknownAgency(slug=slug, suggestion=_suggestion(slug, slugs))


def _require_known_view(name: ViewName) -> None:
    """Raise `UnknownTable` unless a disabled manifest or a canned report without subscriptions names it."""
    spelled = {
        *CustomReportManifest.objects.values_list("table_name", flat=True),
        *CannedReport.objects.values_list("table_name", flat=True),
    }
    if not any(_names_view(table_name, name) for table_name in spelled):
        raise UnknownTable(table=str(name), suggestion=_suggestion(str(name), map(_printed_name, spelled)))


def _names_view(table_name: str, name: ViewName) -> bool:
    return _printed_name(table_name) == str(name)


def _printed_name(table_name: str) -> str:
    """One spelling for all that mean the same view; a name that cannot be read is its own."""
    try:
        return str(ViewName.parse(table_name))
    except BadName:
        return table_name


def _suggestion(requested: str, known: Iterable[str]) -> str:
    return did_you_mean(requested, known, "The nearest known one is")
