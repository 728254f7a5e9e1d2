"""Makes the stored data checks those of a YAML file in a repository."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models.functions import Now

from seeder.data_check_errors import BadCheckFile
from seeder.domain import lock_keys
from seeder.domain.data_checks.definitions import CheckChanges, CheckDefinition, compare, read_definitions
from seeder.domain.view_names import normalize_name
from seeder.errors import ConfigurationError
from seeder.models import CannedReport, CustomReportManifest, DataCheck
from seeder.postgres import advisory_locks
from seeder.postgres.sqlstates import translate_database_errors
from seeder.postgres.transactions import atomic
from seeder.services import extras, manifest_selection
from seeder.services.data_checks import check_rows
from seeder.services.data_checks.check_rows import columns_of, definition_of
from seeder.texts import Text


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckSync:
    """What a synchronisation has changed, or would change."""

    source: str
    changes: CheckChanges
    taken_over: Sequence[CheckDefinition]  # among the changed and unchanged ones: they were of no or another source
    unknown_views: Sequence[str]  # that no manifest names


@translate_database_errors(DEFAULT_DB_ALIAS)
def sync_checks(
    path: Path,
    *,
    source: str | None = None,
    database: str = DEFAULT_DB_ALIAS,
    updated_by: str = "sync_checks",
    dry_run: bool = False,
) -> CheckSync:
    """Add, change and remove checks so that those of a source are those of the file.

    Checks of other sources, or of none, stay, unless the file has a check of that name. `source` is the name of the
    file if it is not given.

    Raises `BadCheckFile`, `BadCheck`, `CheckTableUnusable`, `ConfigurationError`, `ExtraMissing` or `DatabaseError`.
    """
    if database not in connections:
        setting, expected = Text("The database"), Text("an alias in DATABASES")
        raise ConfigurationError(setting=setting, value=database, expected=expected)
    source = source or path.name
    new = read_definitions(_load_yaml(path), file=str(path))
    check_rows.require_table()
    with atomic(durable=True):
        advisory_locks.lock(DEFAULT_DB_ALIAS, lock_keys.SYNC_CHECKS)
        stored = {
            (normalize_name(row.table_name), row.check_name): row
            for row in DataCheck.objects.filter(database_alias=database).select_for_update().order_by("pk")
        }
        keys = {one.key for one in new}
        old = {key: definition_of(row) for key, row in stored.items() if row.source == source or key in keys}
        changes = compare(old.values(), new)
        taken_over = [old[key] for key in sorted(keys & old.keys()) if stored[key].source != source]
        if not dry_run:
            values = {"source": source, "updated_by": updated_by}
            DataCheck.objects.bulk_create(
                DataCheck(database_alias=database, **columns_of(one), **values) for one in changes.added
            )
            for one in (*(change.new for change in changes.changed), *taken_over):
                row = DataCheck.objects.filter(pk=stored[one.key].pk)
                wanted = next(two for two in new if two.key == one.key)
                row.update(updated_at=Now(), **columns_of(wanted), **values)
            DataCheck.objects.filter(pk__in=[stored[one.key].pk for one in changes.removed]).delete()
    return CheckSync(
        source=source, changes=changes, taken_over=taken_over, unknown_views=_unknown_views({one.view for one in new})
    )


def _unknown_views(views: set[str]) -> Sequence[str]:
    tables = CustomReportManifest.objects.all(), CannedReport.objects.all()
    known = {normalize_name(name) for name in manifest_selection.column_values("table_name", *tables)}
    return sorted(views - known)


def _load_yaml(path: Path) -> object:
    extras.require(extras.YAML, "sync_checks")
    from seeder.services.data_checks.yaml_files import InvalidYaml, load_yaml  # needs an extra

    try:
        return load_yaml(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, InvalidYaml) as error:
        problem = getattr(error, "strerror", None) or " ".join(str(error).split())
        raise BadCheckFile(file=str(path), problem=problem) from error
