"""Creates, changes and removes single data checks, by the rules of `sync_checks`.

A change compares the version that the user has seen with the row. The admin's log and an event record it. Checks that
are kept in a file are refused, because the next synchronisation would undo the change.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

from django.db import DEFAULT_DB_ALIAS, transaction
from django.db.models.functions import Now

from seeder.data_check_errors import CheckChanged, CheckExists, CheckOfFile, SqlChecksOff, UnknownCheck
from seeder.domain import lock_keys
from seeder.domain.data_checks.definitions import CheckChange, CheckDefinition, require_valid
from seeder.domain.data_checks.rules import SQL_KINDS
from seeder.domain.manifest_edits import EditAction
from seeder.domain.manifests import ViewKey
from seeder.domain.view_names import ViewName
from seeder.manifest_errors import EditingOff, WritingForbidden
from seeder.models import DataCheck
from seeder.postgres import advisory_locks
from seeder.postgres.sqlstates import translate_database_errors
from seeder.postgres.transactions import atomic
from seeder.services import admin_log, manifest_access
from seeder.services.data_checks import check_access, check_rows
from seeder.services.data_checks.check_rows import columns_of, definition_of
from seeder.services.manifest_access import Editor
from seeder.services.structured_log import INFO, log_event

_PRIVILEGES = ["INSERT", "UPDATE", "DELETE"]


def why_read_only() -> str | None:
    """Return why this process cannot change data checks, or None."""
    try:
        manifest_access.require_privileges(DataCheck, _PRIVILEGES)
    except WritingForbidden as reason:
        return str(reason)
    return None


@translate_database_errors(DEFAULT_DB_ALIAS)
def create_check(view: ViewKey, definition: CheckDefinition, *, editor: Editor) -> DataCheck:
    """Create a check of a view, whose name replaces that of the definition.

    Raises `DataCheckError`, `WritingForbidden` or `DatabaseError`, as all functions of this module do.
    """
    definition = require_valid(replace(definition, view=str(view.name)))
    require_writable(definition.kind)
    with _editing(view.name, editor):
        if check_access.checks_of_view(view).filter(check_name=definition.name).exists():
            raise CheckExists(view=definition.view, check=definition.name)
        row = DataCheck(database_alias=view.database, updated_by=editor.name, **columns_of(definition))
        row.save(force_insert=True)
        _record(EditAction.CREATED, row, editor)
    return _current(row)


@translate_database_errors(DEFAULT_DB_ALIAS)
def change_check(row: DataCheck, changes: Mapping[str, Any], *, version: str | None, editor: Editor) -> DataCheck:
    """Change fields of a definition, but neither view, name nor kind. Without a version, any state is changed."""
    with _editing(ViewName.parse_or_none(row.table_name), editor):
        current = _locked(row)
        old = definition_of(current)
        if version is not None and version != check_rows.version_of_row(current):
            raise CheckChanged(view=old.view, check=old.name)
        new = replace(old, **changes)
        if changes.keys() != {"enabled"}:  # a check that cannot be read can be disabled
            require_valid(new)
        if new.arguments != old.arguments:
            require_writable(new.kind)
        if fields := CheckChange(old=old, new=new).fields:
            values = {name: getattr(new, name) for name in fields}
            DataCheck.objects.filter(pk=row.pk).update(updated_at=Now(), updated_by=editor.name, **values)
            _record(EditAction.CHANGED, current, editor, fields=fields)
    return _current(row)


@translate_database_errors(DEFAULT_DB_ALIAS)
def remove_check(row: DataCheck, *, editor: Editor) -> None:
    """Remove a check. Its results and waivers stay."""
    with _editing(ViewName.parse_or_none(row.table_name), editor):
        current = _locked(row)
        _record(EditAction.REMOVED, current, editor)
        current.delete()


@contextmanager
def _editing(view: ViewName | None, editor: Editor) -> Iterator[None]:
    """Edit checks of a view in a transaction, one after the other. `view` is None if its name is invalid."""
    check_rows.require_table()
    manifest_access.require_privileges(DataCheck, _PRIVILEGES)
    if view is not None:
        check_access.require_all_agencies(view, editor.agencies)
    with atomic():
        advisory_locks.lock(DEFAULT_DB_ALIAS, lock_keys.SYNC_CHECKS)
        yield


def _locked(row: DataCheck) -> DataCheck:
    """Return the current row. Raises `UnknownCheck` if it was removed, or `CheckOfFile`."""
    current = DataCheck.objects.select_for_update().filter(pk=row.pk).first()
    if current is None:
        raise UnknownCheck(view=row.table_name, check=row.check_name)
    if current.source is not None:
        raise CheckOfFile(view=current.table_name, check=current.check_name, source=current.source)
    return current


def _current(row: DataCheck) -> DataCheck:
    return DataCheck.objects.get(pk=row.pk)


def require_writable(kind: str) -> None:
    """Raise `SqlChecksOff` if checks of a kind have SQL, and the setting does not allow users to write it."""
    if kind not in SQL_KINDS:
        return
    try:
        manifest_access.require_setting()
    except EditingOff as off:
        raise SqlChecksOff(kind=kind) from off


def _record(action: EditAction, row: DataCheck, editor: Editor, *, fields: tuple[str, ...] | None = None) -> None:
    """Write to the admin's log in this transaction, and log an event after its commit."""
    admin_log.write(action, row, user_id=editor.user_id, fields=fields)
    event = partial(
        log_event,
        INFO,
        "check_edited",
        action=action,
        view=row.table_name,
        database=row.database_alias,
        check=row.check_name,
        fields=fields,
        user=editor.name,
    )
    transaction.on_commit(event)
