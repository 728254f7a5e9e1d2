"""Manifests with their definition drift and the latest status of their views, limited to the visible agencies."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from typing import Any

from django.db import DEFAULT_DB_ALIAS
from django.db.models import BigIntegerField, ExpressionWrapper, QuerySet, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast

from seeder import conf
from seeder.domain.manifest_edits import ReportDefinition
from seeder.domain.manifests import Manifest, ReportType
from seeder.domain.monitoring.report_jobs import LatestState
from seeder.domain.view_names import ViewName
from seeder.errors import DatabaseError
from seeder.models import CannedReport, CannedReportManifest, CustomReportManifest
from seeder.postgres import job_list_queries, view_survey
from seeder.postgres.contract import OptionalTables
from seeder.postgres.sqlstates import translate_database_errors
from seeder.postgres.view_survey import ComparedQueries
from seeder.services import manifest_access, manifest_selection
from seeder.services.manifest_access import definition_of
from seeder.services.read_models.keyset_pagination import PageOrder
from seeder.services.run import planning
from seeder.texts import Text


class DriftState(StrEnum):
    """How a manifest's query relates to its view."""

    NONE = "none"
    DIFFERENT = "different"  # the view was created from another query
    REFUSED = "refused"  # PostgreSQL now rejects the query
    MISSING = "missing"  # the view does not exist yet
    UNKNOWN = "unknown"  # it could not be compared, such as for a lock


DRIFT_TEXTS: Mapping[DriftState, Text] = {
    DriftState.NONE: Text("no"),
    DriftState.DIFFERENT: Text("other query"),
    DriftState.REFUSED: Text("query refused"),
    DriftState.MISSING: Text("no view yet"),
    DriftState.UNKNOWN: Text("unknown"),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Drift:
    """The definition drift of one manifest."""

    state: DriftState
    cause: str | None = None  # PostgreSQL's message


@dataclass(frozen=True, kw_only=True, slots=True)
class ListedManifest:
    """A manifest with what is known about its view."""

    manifest: Manifest
    database_id: int | None  # None if the canned report is missing
    enabled: bool
    canned_report_id: int | None
    version: str = field(repr=False)  # of the row that has the query
    drift: Drift
    last_refresh: LatestState | None  # None if it has never run


@dataclass(frozen=True, kw_only=True, slots=True)
class ManifestFilter:
    """Which manifests are listed."""

    agencies: list[str] | None  # slugs of the wanted agencies that are visible, or None for all
    report_types: Collection[ReportType] | None = None  # None for all


_ManifestRow = CustomReportManifest | CannedReportManifest
_CANNED_OFFSET = 2**32  # ids of subscriptions follow those of custom manifests

# Custom manifests first, then subscriptions, each by id.
PAGE_ORDER = PageOrder(key="position", is_ascending=True)


def manifest_positions(wanted: ManifestFilter) -> Sequence[QuerySet[Any]]:
    """Return the positions of the wanted manifests in the list, for `fetch_page`, as one query for each type."""
    found: Mapping[ReportType, QuerySet[Any]] = {
        ReportType.CUSTOM: manifest_access.custom_manifests(wanted.agencies),
        ReportType.CANNED: manifest_access.subscriptions(wanted.agencies),
    }
    return [
        rows.annotate(position=_position(kind)).values_list("position", named=True)
        for kind, rows in found.items()
        if wanted.report_types is None or kind in wanted.report_types
    ]


def _position(kind: ReportType) -> Combinable:
    offset = _CANNED_OFFSET if kind is ReportType.CANNED else 0
    position = Cast("id", BigIntegerField()) + Value(offset, BigIntegerField())
    # Django takes the sum for an integer of 32 bits, and each larger cursor for one without rows.
    return ExpressionWrapper(position, output_field=BigIntegerField())


def manifests_at(positions: Sequence[int]) -> Sequence[ListedManifest]:
    """Return the manifests at positions of the list. One that was removed meanwhile is left out.

    Takes a constant number of queries. Raises `ConfigurationError` or `DatabaseError`.
    """
    with translate_database_errors(DEFAULT_DB_ALIAS):
        custom = CustomReportManifest.objects.in_bulk([one for one in positions if one < _CANNED_OFFSET])
        canned = CannedReportManifest.objects.in_bulk([one - _CANNED_OFFSET for one in positions])
        rows = (custom.get(one) or canned.get(one - _CANNED_OFFSET) for one in positions)
        return describe([row for row in rows if row is not None])


def find_manifest(report_type: str, manifest_id: int, agencies: list[str] | None) -> ListedManifest:
    """Return one manifest. Raises `UnknownManifest`, also for one of other agencies."""
    with translate_database_errors(DEFAULT_DB_ALIAS):
        row: _ManifestRow
        if report_type == ReportType.CUSTOM:
            row = manifest_access.require_row(manifest_access.custom_manifests(agencies), manifest_id)
        else:
            row = manifest_access.require_row(manifest_access.subscriptions(agencies), manifest_id)
        return describe([row])[0]


def describe(rows: Sequence[_ManifestRow]) -> Sequence[ListedManifest]:
    """Return the rows with their drift and status, in a constant number of queries."""
    reports = CannedReport.objects.in_bulk(
        [row.canned_report_id for row in rows if isinstance(row, CannedReportManifest)]
    )
    found = [_with_report(row, reports) for row in rows]
    drifts = drift_of([definition_of(report) if report else None for _, report in found])
    states = latest_states({manifest.table_name for manifest, _ in found})
    return [
        ListedManifest(
            manifest=manifest,
            database_id=report.database_id if report else None,
            enabled=getattr(row, "enabled", True),
            canned_report_id=getattr(row, "canned_report_id", None),
            version=manifest_access.row_version(report or row),
            drift=drift,
            last_refresh=states.get(manifest.table_name),
        )
        for row, (manifest, report), drift in zip(rows, found, drifts, strict=True)
    ]


def _with_report(
    row: _ManifestRow, reports: Mapping[int, CannedReport]
) -> tuple[Manifest, CustomReportManifest | CannedReport | None]:
    """Return the manifest, and the row that has its query."""
    if isinstance(row, CustomReportManifest):
        return manifest_selection.custom_manifest(row), row
    report = reports.get(row.canned_report_id)
    return manifest_selection.canned_manifest(row, report), report


def latest_states(table_names: Collection[str]) -> Mapping[str, LatestState]:
    """Return the latest states of views by table name, in two statements."""
    tables = OptionalTables.read(DEFAULT_DB_ALIAS, read_only=True)
    return job_list_queries.latest_states(table_names, has_metrics=tables.is_usable("seeder_run_metrics"))


def drift_of(definitions: Sequence[ReportDefinition | None]) -> Sequence[Drift]:
    """Return the drift of each definition, as a plan reports it. None has no view.

    All queries of a database are compared together, by the statements of `view_survey`.
    """
    databases = conf.load().databases
    queries: dict[str, dict[ViewName, list[str]]] = defaultdict(lambda: defaultdict(list))
    places = [_place(definition, databases) for definition in definitions]
    for place in places:
        if place is not None:
            database, view, query = place
            queries[database][view].append(query)
    compared = {database: _compare(database, views) for database, views in queries.items()}
    return [_drift(place, compared) for place in places]


def _place(definition: ReportDefinition | None, databases: Mapping[int, str]) -> tuple[str, ViewName, str] | None:
    """Return the database, the view and the query, or None for a definition that no run can plan."""
    view = definition and ViewName.parse_or_none(definition.table_name)
    if not definition or not view or (databases and definition.database_id not in databases):
        return None
    return databases.get(definition.database_id, DEFAULT_DB_ALIAS), view, definition.query


def _compare(database: str, views: Mapping[ViewName, Sequence[str]]) -> ComparedQueries | DatabaseError:
    load_known = partial(planning.load_definitions, database, tables=OptionalTables.read(DEFAULT_DB_ALIAS))
    try:
        with translate_database_errors(database):
            return view_survey.compare_with_views(database, views, load_known=load_known)
    except DatabaseError as error:
        if database == DEFAULT_DB_ALIAS:
            raise
        return error


def _drift(place: tuple[str, ViewName, str] | None, compared: Mapping[str, ComparedQueries | DatabaseError]) -> Drift:
    if place is None:
        return Drift(state=DriftState.UNKNOWN, cause=Text("no run can plan it"))
    database, view, query = place
    found, pair = compared[database], (view, query)
    if isinstance(found, DatabaseError):
        return Drift(state=DriftState.UNKNOWN, cause=Text("the database {database} does not answer", database=database))
    if view not in found.existing:
        return Drift(state=DriftState.MISSING)
    if pair in found.undetermined:
        return Drift(state=DriftState.UNKNOWN, cause=found.undetermined[pair].message)
    if pair in found.drift:
        cause = found.drift[pair]
        return Drift(state=DriftState.REFUSED if cause else DriftState.DIFFERENT, cause=cause)
    return Drift(state=DriftState.NONE)
