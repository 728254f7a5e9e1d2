"""Which agencies somebody may see, and what they are called."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast

from django.apps import apps
from django.db.models import BooleanField, Model, Q, QuerySet
from django.db.models.functions import Coalesce
from django.utils.module_loading import import_string

from seeder import conf
from seeder.domain.monitoring.report_jobs import Job
from seeder.domain.snapshots.snapshot_contents import Snapshot
from seeder.domain.view_names import DEFAULT_SCHEMA, ViewName
from seeder.errors import BadName, ConfigurationError, UnknownSnapshot, UnknownTable
from seeder.models import CannedReport, CannedReportManifest, CustomReportManifest, ReleaseSnapshot, RunHistory
from seeder.services.snapshots import release_snapshots


def validate_settings() -> None:
    """Raises `ConfigurationError` where the settings name a callable or a model that is not there."""
    _scope()
    _agency_model()


def agencies_of(user: Any) -> list[str] | None:
    """The slugs that SEEDER['AGENCY_SCOPE'] gives a user; None for all there are.

    Raises `ConfigurationError` where that is no callable, or returns something else: nobody then sees anything.
    """
    scope = _scope()
    slugs = None if scope is None else scope(user)
    if slugs is None:
        return None
    if isinstance(slugs, str) or not isinstance(slugs, Iterable):
        raise _no_scope()
    return [str(slug) for slug in slugs]


def _scope() -> Callable[[Any], object] | None:
    path = conf.load().agency_scope
    if not path:
        return None
    try:
        scope = import_string(path)
    except ImportError as error:
        raise _no_scope() from error
    if not callable(scope):
        raise _no_scope()
    return cast("Callable[[Any], object]", scope)


def _no_scope() -> ConfigurationError:
    wanted = "the dotted path of a callable that takes a user and returns slugs, or None"
    return ConfigurationError(setting="SEEDER['AGENCY_SCOPE']", value=conf.load().agency_scope, expected=wanted)


def tables_of(agencies: list[str]) -> list[str]:
    """The views that manifests of these agencies name, enabled or not: each as it is spelled and as `ViewName` prints
    it, as release snapshots have it."""
    spelled = {
        *CustomReportManifest.objects.filter(agency_slug__in=agencies).values_list("table_name", flat=True),
        *CannedReport.objects.filter(cannedreportmanifest__agency_slug__in=agencies).values_list(
            "table_name", flat=True
        ),
    }
    return sorted(spelled | {name for table in spelled if (name := _as_printed(table))})


def snapshots_of(agencies: list[str] | None) -> QuerySet[ReleaseSnapshot]:
    """The release snapshots of views of these agencies, the latest first; None: all."""
    every = ReleaseSnapshot.objects.order_by("-captured_at", "-id")
    return every if agencies is None else every.filter(table_name__in=tables_of(agencies))


def snapshot_rows_of(agencies: list[str] | None) -> QuerySet[ReleaseSnapshot]:
    """As `snapshots_of`, without what they say of columns."""
    return snapshots_of(agencies).defer("columns", "column_statistics", "top_values")


def require_visible_table(table_name: str, agencies: list[str] | None) -> None:
    """Raises `UnknownTable` where no manifest of these agencies names that view."""
    if agencies is not None and table_name not in tables_of(agencies):
        raise UnknownTable(table=table_name, suggestion="")


def snapshot(snapshot_id: int, agencies: list[str] | None) -> Snapshot:
    """Raises `UnknownSnapshot`, also for one of a view of other agencies, or `DatabaseError`."""
    found = release_snapshots.find_snapshot(snapshot_id)
    if agencies is not None and found.table_name not in tables_of(agencies):
        raise UnknownSnapshot(identity=f"with the id {snapshot_id}")
    return found


def history_of(agencies: list[str] | None) -> QuerySet[RunHistory]:
    """The rows of these agencies' manifests, the latest first; None: all."""
    return RunHistory.objects.order_by("-start_time", "-id").of_agencies(agencies)


def history_of_job(job: Job) -> QuerySet[RunHistory]:
    """The rows of one manifest, by the index on its table and the time: inside COALESCE the server knows nothing of how
    rare they are, or it would read and sort everything there is of a view that many share."""
    is_its = Q(report_type=job.report_type, manifest_id=job.manifest_id)
    return RunHistory.objects.filter(
        Coalesce(is_its, False, output_field=BooleanField()),  # noqa: FBT003  # a value of SQL
        table_name=job.table_name,
    )


def _as_printed(table_name: str) -> str | None:
    try:
        return str(ViewName.parse(table_name))
    except BadName:
        return None


def names_of(agencies: Iterable[tuple[int, str]]) -> Mapping[int, str]:
    """What the agencies with these ids and slugs are called: as SEEDER['AGENCY_MODEL'] says, else as their slugs.

    Raises `ConfigurationError` where there is no such model.
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
        wanted = "a model as app_label.Model"
        raise ConfigurationError(setting="SEEDER['AGENCY_MODEL']", value=name, expected=wanted) from error


def agency_choices(agencies: list[str] | None) -> Mapping[str, str]:
    """Which of these agencies have manifests, of all where it is None, and what each is called, by slug: asked of the
    manifests, which are few. Raises `ConfigurationError` as `names_of` does."""
    found = {
        *CustomReportManifest.objects.values_list("agency_slug", "agency_id").distinct(),
        *CannedReportManifest.objects.values_list("agency_slug", "agency_id").distinct(),
    }
    theirs = {slug: agency_id for slug, agency_id in sorted(found) if agencies is None or slug in agencies}
    names = names_of((agency_id, slug) for slug, agency_id in theirs.items())
    # An agency that nobody has named, or whose id two slugs have, goes by its slug.
    return {slug: slug if names[agency_id] in theirs else names[agency_id] for slug, agency_id in theirs.items()}


def name_spellings(table_name: str) -> list[str]:
    """A name as somebody wrote it, as `ViewName` prints it, and without the schema that a bare name means."""
    printed = _as_printed(table_name) or table_name
    return sorted({table_name, printed, printed.removeprefix(f"{DEFAULT_SCHEMA}.")})


def manifest_spellings(table_name: str) -> list[str]:
    """The name of a view in each way in which a manifest has it. Reads them all, so only for what is not found else."""
    printed = _as_printed(table_name)
    spelled = {
        *CustomReportManifest.objects.values_list("table_name", flat=True),
        *CannedReport.objects.values_list("table_name", flat=True),
    }
    return sorted(one for one in spelled if printed and _as_printed(one) == printed)
