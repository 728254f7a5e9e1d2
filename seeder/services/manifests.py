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
class _Row:
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
                    *(() if only is ReportType.CANNED else _custom()),
                    *(() if only is ReportType.CUSTOM else _canned()),
                ]
            case AgencyReports(slug=slug):
                rows = [*_custom(agency_slug=slug), *_canned(agency_slug=slug)] if is_storable_text(slug) else []
                if not rows:
                    insist_on_agency(slug)
            case SingleView(name=name):
                rows = [row for row in (*_custom(), *_canned()) if _is(row.manifest.table_name, name)]
                if not rows:
                    _insist_on_view(name)
            case SelectedManifests(manifests=chosen):
                everybody = (*_custom(), *_canned())
                rows = [row for row in everybody if (row.manifest.report_type, row.manifest.manifest_id) in chosen]
    return _selection(rows, databases)


def listed(*, databases: Mapping[int, str]) -> frozenset[ViewKey]:
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


def _custom(**only: object) -> Iterator[_Row]:
    for row in CustomReportManifest.objects.enabled().filter(**only).order_by("id"):
        yield _Row(manifest=_manifest(ReportType.CUSTOM, row, says=row), database_id=row.database_id)


def _canned(**only: object) -> Iterator[_Row]:
    reports = CannedReport.objects.in_bulk()
    for row in CannedReportManifest.objects.filter(**only).order_by("id"):
        report = reports.get(row.canned_report_id)
        if report is None:
            gone = f"canned report {row.canned_report_id}"
            report = CannedReport(table_name=gone, report_name=gone, query="")
            yield _Row(manifest=_manifest(ReportType.CANNED, row, says=report), database_id=None)
        else:
            yield _Row(manifest=_manifest(ReportType.CANNED, row, says=report), database_id=report.database_id)


def _manifest(
    report_type: ReportType,
    row: CustomReportManifest | CannedReportManifest,
    *,
    says: CustomReportManifest | CannedReport,
) -> Manifest:
    return Manifest(
        report_type=report_type,
        manifest_id=row.pk,
        table_name=says.table_name,
        report_name=says.report_name,
        agency_id=row.agency_id,
        agency_slug=row.agency_slug,
        query=says.query,
    )


def _selection(rows: Iterable[_Row], databases: Mapping[int, str]) -> Selection:
    good, complaints = [], []
    for row in rows:
        try:
            good.append((_key(row, databases), row.manifest))
        except ManifestError as error:
            complaints.append(RejectedManifest(manifest=row.manifest, reason=error.reason, message=str(error)))
    return Selection(views=group_by_view(good), rejected=tuple(complaints))


def _key(row: _Row, databases: Mapping[int, str]) -> ViewKey:
    """Which view a row means. Raises `ManifestError` where it means none."""
    if row.database_id is None:
        raise ReportMissing(report=row.manifest.report_name)
    if databases and row.database_id not in databases:
        raise DatabaseUnmapped(database_id=row.database_id, mapped=sorted(databases))
    return ViewKey(
        database=databases.get(row.database_id, DEFAULT_DB_ALIAS), name=ViewName.parse(row.manifest.table_name)
    )


def is_in(report_type: str, manifest_id: int, database: str, *, databases: Mapping[int, str]) -> bool:
    """Whether the view of a manifest lives in the database of this alias."""
    if len({*databases.values()}) <= 1:
        return True
    if report_type == ReportType.CUSTOM:
        row: CustomReportManifest | CannedReport | None = CustomReportManifest.objects.filter(pk=manifest_id).first()
    else:
        row = CannedReport.objects.filter(cannedreportmanifest=manifest_id).first()
    return row is not None and databases.get(row.database_id) == database


def insist_on_agency(slug: str) -> None:
    """Raise `UnknownAgency` unless a manifest names it, enabled or not: then it merely has nothing to refresh."""
    if not is_storable_text(slug):
        raise UnknownAgency(slug=slug, suggestion="")
    slugs = {
        *CustomReportManifest.objects.values_list("agency_slug", flat=True),
        *CannedReportManifest.objects.values_list("agency_slug", flat=True),
    }
    if slug not in slugs:
        raise UnknownAgency(slug=slug, suggestion=_nearest(slug, slugs))


def _insist_on_view(name: ViewName) -> None:
    """Raise `UnknownTable` unless a disabled manifest or a canned report without subscriptions names it."""
    spelled = {
        *CustomReportManifest.objects.values_list("table_name", flat=True),
        *CannedReport.objects.values_list("table_name", flat=True),
    }
    if not any(_is(table_name, name) for table_name in spelled):
        raise UnknownTable(table=str(name), suggestion=_nearest(str(name), map(_as_named, spelled)))


def _is(table_name: str, name: ViewName) -> bool:
    return _as_named(table_name) == str(name)


def _as_named(table_name: str) -> str:
    """One spelling for all that mean the same view; a name that cannot be read is its own."""
    try:
        return str(ViewName.parse(table_name))
    except BadName:
        return table_name


def _nearest(wanted: str, known: Iterable[str]) -> str:
    return did_you_mean(wanted, known, "The nearest known one is")
