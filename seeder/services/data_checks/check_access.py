"""Which data checks a user may see, and of which views a user may change them."""

from collections.abc import Sequence

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import QuerySet

from seeder import conf
from seeder.data_check_errors import UnknownCheck, ViewShared
from seeder.domain.manifests import ViewKey
from seeder.domain.snapshots.snapshot_contents import ViewColumn
from seeder.domain.view_names import ViewName
from seeder.errors import UnknownTable
from seeder.models import DataCheck
from seeder.postgres import catalog
from seeder.postgres.sqlstates import translate_database_errors
from seeder.services import manifest_access
from seeder.services.read_models import agency_scope

VIEW_PERMISSION, EDIT_PERMISSION = "seeder.view_datacheck", "seeder.edit_checks"


def find_view(table_name: str, agencies: list[str] | None, *, database: str | None = None) -> ViewKey:
    """Return a view that a manifest of these agencies (None: all) names, by any spelling of its name.

    Of several databases, `database` selects one; otherwise it is the first. Raises `BadName` or `UnknownTable`.
    """
    name, databases = ViewName.parse(table_name), conf.load().databases
    spellings = agency_scope.manifest_spellings(str(name))
    custom = manifest_access.custom_manifests(agencies).filter(table_name__in=spellings)
    canned = manifest_access.canned_reports(agencies).filter(table_name__in=spellings)
    ids = {*custom.values_list("database_id", flat=True), *canned.values_list("database_id", flat=True)}
    found = {databases.get(one, DEFAULT_DB_ALIAS) for one in ids}
    if not found or (database is not None and database not in found):
        raise UnknownTable(table=str(name), suggestion="")
    return ViewKey(database=database or min(found), name=name)


def require_all_agencies(view: ViewName, agencies: list[str] | None) -> None:
    """Raise `ViewShared` if a decision on a view would affect agencies that the user may not see."""
    spellings = [] if agencies is None else agency_scope.manifest_spellings(str(view))
    if agencies is not None and manifest_access.has_other_agencies(spellings, agencies):
        raise ViewShared(view=str(view))


def columns_of_view(view: ViewKey) -> Sequence[ViewColumn]:
    """Return the columns of a view, or none if it does not exist yet. Raises `DatabaseError`."""
    if view.database not in connections:  # of a row that was written by hand
        return ()
    with translate_database_errors(view.database):
        return catalog.view_columns(view.database, view.name)


def visible_checks(agencies: list[str] | None) -> QuerySet[DataCheck]:
    """Return the data checks of the views of these agencies (None: all)."""
    rows = DataCheck.objects.all()
    return rows if agencies is None else rows.filter(table_name__in=agency_scope.tables_of(agencies))


def checks_of_view(view: ViewKey) -> QuerySet[DataCheck]:
    """Return the data checks of a view, by every spelling of its name."""
    rows = DataCheck.objects.filter(database_alias=view.database)
    return rows.filter(table_name__in=agency_scope.spellings_in(str(view.name), rows))


def find_check(view: ViewKey, check_name: str) -> DataCheck:
    """Return a data check of a view. Raises `UnknownCheck`."""
    found = checks_of_view(view).filter(check_name=check_name).order_by("pk").first()
    if found is None:
        raise UnknownCheck(view=str(view.name), check=check_name)
    return found
