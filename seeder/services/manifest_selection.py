"""Reads the manifest tables: valid rows are grouped by view, and invalid rows are rejected."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import DEFAULT_DB_ALIAS
from django.db.models import Case, Exists, F, OuterRef, Q, QuerySet, When

from seeder.domain.manifests import (
    Manifest,
    ManifestKey,
    RejectedManifest,
    ReportType,
    Selection,
    ViewKey,
    ViewSpec,
    group_by_view,
)
from seeder.domain.refresh_requests import AgencyReports, AllReports, RefreshRequest, SelectedManifests, SingleView
from seeder.domain.suggestions import did_you_mean
from seeder.domain.view_names import ViewName, normalize_name
from seeder.errors import DatabaseUnmapped, ManifestError, ReportMissing, UnknownAgency, UnknownTable
from seeder.models import CannedReport, CannedReportManifest, CustomReportManifest
from seeder.postgres.sqlstates import translate_database_errors
from seeder.services.manifest_names import DeclaringView, can_name
from seeder.services.storable_text import is_storable

_Row = tuple[Manifest, int | None]  # with its database_id; None if the canned report is missing


@dataclass(frozen=True, kw_only=True, slots=True)
class NamedView(DeclaringView):
    """A view that enabled manifests name."""

    spellings: set[str] = field(default_factory=set)


@translate_database_errors(DEFAULT_DB_ALIAS)
def select(request: RefreshRequest, *, databases: Mapping[int, str]) -> Selection:
    """Return the enabled manifests of a request. `databases` maps each database_id to Django's alias.

    Raises `UnknownAgency` or `UnknownTable` if no manifest has that name, not even a disabled one.
    """
    match request:
        case AllReports(report_type=report_type):
            rows = [row for row in _manifests() if report_type in {None, row[0].report_type}]
        case AgencyReports(slug=slug):
            rows = list(_manifests(agency_slug=slug)) if is_storable(slug) else []
            if not rows:
                require_known_agency(slug)
        case SingleView(name=name):
            rows = [row for row in _manifests(can_name([name])) if normalize_name(row[0].table_name) == str(name)]
            if not rows:
                _require_known_view(name)
        case SelectedManifests(manifests=chosen):
            rows = [row for row in _manifests() if row[0].key in chosen]
    return _group_rows(rows, databases)


@translate_database_errors(DEFAULT_DB_ALIAS)
def named_views(
    database: str, *, databases: Mapping[int, str], declaring: bool = False
) -> Mapping[ViewName, NamedView]:
    """Return the views of a database that enabled manifests name, or only those that declare dependencies.

    Reads only queries that do.
    """
    declares = Q(query__contains="depends_on:")
    columns = "table_name", "database_id", Case(When(declares, then=F("query")))
    wanted = declares if declaring else Q()
    custom = CustomReportManifest.objects.enabled().filter(wanted).values_list(*columns)
    subscriptions = CannedReportManifest.objects.filter(canned_report=OuterRef("pk"))
    canned = CannedReport.objects.filter(wanted, Exists(subscriptions)).values_list(*columns)
    found = defaultdict[ViewName, NamedView](NamedView)
    for table_name, database_id, declaring_query in custom.union(canned, all=True):
        alias = databases.get(database_id) if databases else DEFAULT_DB_ALIAS
        if alias == database and (name := ViewName.parse_or_none(table_name)):
            found[name].spellings.add(table_name)
            if declaring_query is not None:
                found[name].declaring_queries.append(declaring_query)
    return found


@translate_database_errors(DEFAULT_DB_ALIAS)
def select_named(table_names: Collection[str], *, databases: Mapping[int, str]) -> Selection:
    """Return the enabled manifests with these names, as spelled in the rows."""
    return _group_rows(_manifests(Q(table_name__in=table_names)), databases) if table_names else Selection()


@translate_database_errors(DEFAULT_DB_ALIAS)
def select_views(views: Collection[ViewKey], *, databases: Mapping[int, str]) -> Sequence[ViewSpec]:
    """Return views with all their enabled manifests."""
    rows = _manifests(can_name(key.name for key in views)) if views else ()
    return [spec for spec in _group_rows(rows, databases).views if spec.key in views]


def all_listed_views(*, databases: Mapping[int, str]) -> frozenset[ViewKey]:
    """Return every view with a manifest or canned report, even disabled."""
    columns = "table_name", "database_id"
    with translate_database_errors(DEFAULT_DB_ALIAS):
        rows = [*CustomReportManifest.objects.values_list(*columns), *CannedReport.objects.values_list(*columns)]
    return frozenset(
        ViewKey(database=databases.get(database_id, DEFAULT_DB_ALIAS), name=name)
        for table_name, database_id in rows
        if (name := ViewName.parse_or_none(table_name))
    )


def find_namesakes(views: Iterable[ViewKey], *, databases: Mapping[int, str]) -> Mapping[ViewKey, list[ManifestKey]]:
    """Return for each view the enabled manifests of views with the same name in other databases, if there are any."""
    if len({*databases.values()}) <= 1:
        return {}
    specs_by_name = defaultdict[ViewName, list[ViewSpec]](list)
    for spec in select(AllReports(), databases=databases).views:
        specs_by_name[spec.key.name].append(spec)
    found = {
        view: [manifest.key for spec in specs_by_name[view.name] if spec.key != view for manifest in spec.manifests]
        for view in views
    }
    return {view: manifests for view, manifests in found.items() if manifests}


def _manifests(of_report: Q | None = None, **filters: object) -> Iterator[_Row]:
    """Yield the enabled manifests, custom ones first. `of_report` is a condition on the columns of both reports."""
    named = Q() if of_report is None else of_report
    for custom in CustomReportManifest.objects.enabled().filter(named, **filters).order_by("id"):
        yield custom_manifest(custom), custom.database_id
    reports = {report.pk: report for report in CannedReport.objects.filter(named)}
    subscriptions = CannedReportManifest.objects.filter(**filters).order_by("id")
    for subscription in subscriptions if of_report is None else subscriptions.filter(canned_report__in=[*reports]):
        report = reports.get(subscription.canned_report_id)
        yield canned_manifest(subscription, report), report.database_id if report else None


def custom_manifest(row: CustomReportManifest) -> Manifest:
    return _manifest(ReportType.CUSTOM, row, row)


def canned_manifest(row: CannedReportManifest, report: CannedReport | None) -> Manifest:
    """Return the manifest of a subscription, whose report can be missing."""
    name = f"canned report {row.canned_report_id}"
    return _manifest(ReportType.CANNED, row, report or CannedReport(table_name=name, report_name=name, query=""))


def _manifest(
    report_type: ReportType,
    row: CustomReportManifest | CannedReportManifest,
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


def _group_rows(rows: Iterable[_Row], databases: Mapping[int, str]) -> Selection:
    accepted, rejected = [], []
    for manifest, database_id in rows:
        try:
            accepted.append((_view_key(manifest, database_id, databases), manifest))
        except ManifestError as error:
            rejected.append(RejectedManifest(manifest=manifest, reason=error.reason, message=str(error)))
    return Selection(views=group_by_view(accepted), rejected=tuple(rejected))


def _view_key(manifest: Manifest, database_id: int | None, databases: Mapping[int, str]) -> ViewKey:
    """Return the view of a manifest. Raises `ManifestError` if it has none."""
    if database_id is None:
        raise ReportMissing(report=manifest.report_name)
    if databases and database_id not in databases:
        raise DatabaseUnmapped(database_id=database_id, mapped=sorted(databases))
    return ViewKey(database=databases.get(database_id, DEFAULT_DB_ALIAS), name=ViewName.parse(manifest.table_name))


def is_manifest_in_database(report_type: str, manifest_id: int, database: str, *, databases: Mapping[int, str]) -> bool:
    """Return whether a manifest's view is in the database of this alias."""
    if len({*databases.values()}) <= 1:
        return True
    if report_type == ReportType.CUSTOM:
        row: CustomReportManifest | CannedReport | None = CustomReportManifest.objects.filter(pk=manifest_id).first()
    else:
        row = CannedReport.objects.filter(cannedreportmanifest=manifest_id).first()
    return row is not None and databases.get(row.database_id) == database


def column_values(column: str, *rows: QuerySet[Any]) -> set[str]:
    """Return the values of a column in several tables."""
    return {value for each in rows for value in each.values_list(column, flat=True)}


def require_known_agency(slug: str) -> None:
    """Raise `UnknownAgency` unless a manifest has this agency, even a disabled one."""
    slugs = column_values("agency_slug", CustomReportManifest.objects.all(), CannedReportManifest.objects.all())
    if slug not in slugs:
        raise UnknownAgency(slug=slug, suggestion=_suggestion(slug, slugs))


def _require_known_view(name: ViewName) -> None:
    """Raise `UnknownTable` unless a manifest or canned report has this view."""
    table_names = column_values("table_name", CustomReportManifest.objects.all(), CannedReport.objects.all())
    known = set(map(normalize_name, table_names))
    if str(name) not in known:
        raise UnknownTable(table=str(name), suggestion=_suggestion(str(name), known))


def _suggestion(requested: str, known: Iterable[str]) -> str:
    return did_you_mean(requested, known)
