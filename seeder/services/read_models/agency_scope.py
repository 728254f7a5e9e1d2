"""The agencies that a user may see, and their display names."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, cast

from django.apps import apps
from django.db.models import Model, Q, QuerySet
from django.db.models.functions import Collate, Upper
from django.utils.module_loading import import_string

from seeder import conf
from seeder.domain.declared_dependencies import find_declaration
from seeder.domain.monitoring.report_jobs import Job
from seeder.domain.snapshots.snapshot_contents import Snapshot
from seeder.domain.view_names import DEFAULT_SCHEMA, ViewName, normalize_name
from seeder.errors import ConfigurationError, UnknownSnapshot, UnknownTable
from seeder.models import CannedReport, CannedReportManifest, CustomReportManifest, ReleaseSnapshot, RunHistory
from seeder.services import manifest_selection
from seeder.services.snapshots import release_snapshots
from seeder.services.storable_text import is_storable
from seeder.texts import Text

SNAPSHOT_COLUMN_FIELDS = ("columns", "column_statistics", "top_values")  # large, and not shown in lists


def validate_settings() -> None:
    """Raise `ConfigurationError` if the settings name a missing callable or model."""
    _scope()
    _agency_model()


def agencies_of(user: Any) -> list[str] | None:
    """Return the agency slugs that a user may see, or None for all.

    SEEDER['AGENCY_SCOPE'] decides. Raises `ConfigurationError` if the setting is no callable or returns another
    type. Access is then denied.
    """
    scope = _scope()
    slugs = None if scope is None else scope(user)
    if slugs is None:
        return None
    if isinstance(slugs, str) or not isinstance(slugs, Iterable):
        raise _invalid_scope()
    return [str(slug) for slug in slugs]


def narrow(visible: list[str] | None, requested: Sequence[str] | None) -> list[str] | None:
    """Return the requested agencies that are visible, or all visible ones if None are requested.

    Slugs that the database cannot store have no rows, and are left out.
    """
    if requested is None:
        return visible
    return [slug for slug in requested if is_storable(slug) and (visible is None or slug in visible)]


def _scope() -> Callable[[Any], object] | None:
    path = conf.load().agency_scope
    try:
        scope = import_string(path) if path else None
    except ImportError as error:
        raise _invalid_scope() from error
    if scope is not None and not callable(scope):
        raise _invalid_scope()
    return cast("Callable[[Any], object] | None", scope)


def _invalid_scope() -> ConfigurationError:
    wanted = Text("the dotted path of a callable that takes a user and returns slugs, or None")
    return ConfigurationError(setting="SEEDER['AGENCY_SCOPE']", value=conf.load().agency_scope, expected=wanted)


def tables_of(agencies: list[str]) -> list[str]:
    """The views that enabled and disabled manifests of these agencies name.

    Each view is listed as the manifest spells it and as `ViewName` prints it, because release snapshots store the
    latter.
    """
    spelled = manifest_selection.column_values("table_name", *_queries_of(agencies))
    return sorted(spelled.union(map(normalize_name, spelled)))


def declared_dependencies_of(agencies: list[str]) -> frozenset[ViewName]:
    """Return the relations that queries of these agencies declare to read, because PostgreSQL cannot know it."""
    declaration = find_declaration(manifest_selection.column_values("query", *_queries_of(agencies)))
    return declaration.views if declaration else frozenset()


def _queries_of(agencies: list[str]) -> tuple[QuerySet[CustomReportManifest], QuerySet[CannedReport]]:
    """Return the custom manifests and the canned reports of these agencies."""
    custom = CustomReportManifest.objects.filter(agency_slug__in=agencies)
    return custom, CannedReport.objects.filter(cannedreportmanifest__agency_slug__in=agencies)


def snapshot_rows_of(agencies: list[str] | None) -> QuerySet[ReleaseSnapshot]:
    """Return the snapshots of these agencies (None: all), latest first, without columns."""
    rows = ReleaseSnapshot.objects.order_by("-captured_at", "-id").defer(*SNAPSHOT_COLUMN_FIELDS)
    return rows if agencies is None else rows.filter(table_name__in=tables_of(agencies))


def require_visible_table(table_name: str, agencies: list[str] | None) -> None:
    """Raise `UnknownTable` if no manifest of these agencies names the view."""
    if agencies is not None and table_name not in tables_of(agencies):
        raise UnknownTable(table=table_name, suggestion="")


def snapshot(snapshot_id: int, agencies: list[str] | None) -> Snapshot:
    """Return a snapshot of these agencies. Raises `UnknownSnapshot` or `DatabaseError`."""
    found = release_snapshots.find_snapshot(snapshot_id)
    if agencies is not None and found.table_name not in tables_of(agencies):
        raise UnknownSnapshot(identity=Text("with the id {id}", id=snapshot_id))
    return found


def history_of_job(job: Job) -> QuerySet[RunHistory]:
    """Return the history of one manifest."""
    return RunHistory.objects.filter(
        table_name=job.table_name, report_type=job.report_type, manifest_id=job.manifest_id
    )


def names_of(agencies: Iterable[tuple[int, str]]) -> Mapping[int, str]:
    """The display names of agencies, by id: from SEEDER['AGENCY_MODEL'], otherwise their slugs.

    Raises `ConfigurationError` if the model does not exist.
    """
    slugs, model = dict(agencies), _agency_model()
    if model is None:
        return slugs
    return slugs | {pk: str(agency) for pk, agency in model._base_manager.in_bulk(list(slugs)).items()}


def _agency_model() -> type[Model] | None:
    name = conf.load().agency_model
    try:
        return apps.get_model(name) if name else None
    except (LookupError, ValueError) as error:
        wanted = Text("a model as app_label.Model")
        raise ConfigurationError(setting="SEEDER['AGENCY_MODEL']", value=name, expected=wanted) from error


def agency_choices(agencies: list[str] | None) -> Mapping[str, str]:
    """Return the display names of agencies with manifests, by slug.

    Raises `ConfigurationError` if the model in SEEDER['AGENCY_MODEL'] does not exist.
    """
    theirs = ids_of(agencies)
    names = names_of((agency_id, slug) for slug, agency_id in theirs.items())
    # Show the slug if the agency has no name, or shares its id with another slug.
    return {slug: slug if names[agency_id] in theirs else names[agency_id] for slug, agency_id in theirs.items()}


def ids_of(agencies: list[str] | None) -> Mapping[str, int]:
    """Return the ids of agencies with manifests, by slug."""
    wanted = Q() if agencies is None else Q(agency_slug__in=list(filter(is_storable, agencies)))
    custom, canned = (
        model.objects.filter(wanted).values_list("agency_slug", "agency_id")
        for model in (CustomReportManifest, CannedReportManifest)
    )
    return dict(sorted(custom.union(canned)))


def name_spellings(table_name: str) -> list[str]:
    """Return the name as given, normalized, and without the default schema."""
    printed = normalize_name(table_name)
    return sorted({table_name, printed, printed.removeprefix(f"{DEFAULT_SCHEMA}.")})


def manifest_spellings(table_name: str) -> list[str]:
    """Every spelling of a view's name in manifests. Takes one statement that reads the names of all."""
    return spellings_in(table_name, CustomReportManifest.objects.all(), CannedReport.objects.all())


def _ascii_upper(text: str) -> str:
    return "".join(one.upper() if one.isascii() else one for one in text)


def spellings_in(table_name: str, *tables: QuerySet[Any]) -> list[str]:
    """Every spelling of a view's name in the column `table_name` of these tables."""
    name, printed = ViewName.parse_or_none(table_name), normalize_name(table_name)
    part = table_name if name is None else name.name.replace('"', '""')  # every spelling has it, in some ASCII case
    folded = Upper(Collate("table_name", "C"))
    candidates = (rows.alias(folded=folded).filter(folded__contains=_ascii_upper(part)) for rows in tables)
    return sorted(
        one for one in manifest_selection.column_values("table_name", *candidates) if normalize_name(one) == printed
    )
