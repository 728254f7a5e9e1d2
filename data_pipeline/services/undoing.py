"""Undoes a load.

Its table then has the rows from before, unless others have changed them since.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC

from django.db import DEFAULT_DB_ALIAS, Error, transaction

from data_pipeline.correction_errors import (
    LaterLoads,
    OldValuesMissing,
    RestoredValueTaken,
    RowsChanged,
    UndoRefused,
)
from data_pipeline.domain.load_status import LoadStatus
from data_pipeline.domain.refresh_dispatches import RefreshDispatch
from data_pipeline.errors import UnknownLoad
from data_pipeline.postgres import row_versions, target_tables, undoing
from data_pipeline.postgres.constraint_violations import EXCLUSION_VIOLATION, UNIQUE_VIOLATION
from data_pipeline.postgres.error_translation import translate_errors
from data_pipeline.postgres.row_errors import diagnostics, is_refusal
from data_pipeline.postgres.undoing import LockedLoad, Undoing, UndoneRows
from data_pipeline.services import dependent_refreshes
from data_pipeline.services.transaction_guards import require_own_transaction
from data_pipeline.structured_log import INFO, log_event
from seeder.domain.human_format import format_count
from seeder.domain.view_names import ViewName
from seeder.postgres.transactions import atomic
from seeder.texts import Text

_MAX_LOADS_NAMED = 10


@dataclass(frozen=True, kw_only=True, slots=True)
class UndoneLoad:
    """The result of an undo, or of its dry run."""

    load_id: int
    table: ViewName
    rows: UndoneRows
    refresh: RefreshDispatch | None = None  # None if no row has changed, or in a dry run


def undo_load(  # noqa: PLR0913  # the options of an undo
    load_id: int,
    *,
    actor: str,
    dry_run: bool = False,
    force: bool = False,
    using: str = DEFAULT_DB_ALIAS,
    refresh_here: bool = True,
) -> UndoneLoad:
    """Remove and restore the rows that a load changed.

    Inserted rows are removed. Updated and deleted ones get their previous values.

    Everything commits together: the rows, the mark of the load, an event, and the request to refresh the dependent
    views. The file can then be loaded again. A dry run does the same and rolls it back. `force` also overwrites changes
    that were not made by a load, and deletes rows of other tables if a foreign key cascades. Without a queue, the views
    are refreshed in this process if `refresh_here` is set.

    Raises `UnknownLoad`, `UndoRefused`, `TargetError`, `InsideTransaction` or `AutocommitOff`.
    """
    with translate_errors(using):
        require_own_transaction(using, "undo_load")
        try:
            with atomic(using, durable=True):
                result = _undo(load_id, actor=actor, force=force, using=using)
                transaction.set_rollback(dry_run, using=using)
        except Error as error:
            if not is_refusal(error):
                raise
            raise _refusal(load_id, error) from error
    if dry_run:
        return result
    log_event(INFO, "load_undone", load_id=load_id, table=str(result.table), **asdict(result.rows), actor=actor)
    if not result.rows.has_changes:
        return result
    return replace(result, refresh=dependent_refreshes.refresh_after(load_id, using, refresh_here=refresh_here))


def _refusal(load_id: int, error: Error) -> UndoRefused:
    """Return why PostgreSQL refused a row of the undo."""
    facts = diagnostics(error)
    if facts.sqlstate in (UNIQUE_VIOLATION, EXCLUSION_VIOLATION):
        return RestoredValueTaken(
            load_id=load_id,
            table=f"{facts.schema_name}.{facts.table_name}",
            detail=(facts.message_detail or facts.message_primary or "").rstrip("."),
            constraint=facts.constraint_name,
        )
    reason = " ".join(filter(None, [facts.message_primary, facts.message_detail])).rstrip(".")
    return UndoRefused(load_id=load_id, reason=reason)


def _undo(load_id: int, *, actor: str, force: bool, using: str) -> UndoneLoad:
    load = undoing.lock_load(using, load_id)
    if load is None:
        raise UnknownLoad(load_id=load_id)
    name = _table_of(load_id, load)
    if corrections := undoing.loads_of_rejects(using, load_id):
        reason = Text("{loads} loaded its corrected rejects. Undo that first", loads=_loads_text(corrections))
        raise UndoRefused(load_id=load_id, reason=reason)
    target = target_tables.describe(using, name)
    if load.rows_inserted and not target.is_tracked:
        raise UndoRefused(load_id=load_id, reason=_untracked_text(name))
    undo = Undoing(using, load_id, target)
    if load.rows_inserted and row_versions.has_rows_without_id(using, target, load_id):
        raise UndoRefused(load_id=load_id, reason=_untracked_text(name))
    _require_no_later_loads(load_id, undo, name)
    _require_old_values(load_id, load, undo)
    if not force:
        _require_rows_as_left(load_id, load, undo, name)
        if (dependents := undo.rows_that_refer()) is not None:
            raise UndoRefused(load_id=load_id, reason=_referenced_text(dependents))
    rows = undo.run()
    undo.mark(rows, actor=actor)
    return UndoneLoad(load_id=load_id, table=name, rows=rows)


def _untracked_text(table: ViewName) -> Text:
    return Text(
        "it inserted rows, but its rows in {table} have no load id. After `manage.py track_loads {table}`, later loads"
        " can be undone",
        table=table,
    )


def _referenced_text(dependents: str) -> Text:
    return Text(
        "with the rows that it inserted, ON DELETE would delete or change {dependents}. With --force these are lost",
        dependents=dependents,
    )


def _table_of(load_id: int, load: LockedLoad) -> ViewName:
    """Return the table of a load that can be undone."""
    reason = None
    if load.undone_at is not None and load.status == LoadStatus.FAILED:
        reason = Text("it was undone already, on {at:%Y-%m-%d at %H:%M} UTC", at=load.undone_at.astimezone(UTC))
    elif load.status == LoadStatus.FAILED:
        reason = Text("it failed, and none of its rows is in a table")
    elif load.status == LoadStatus.PENDING:
        reason = Text("it is being loaded, or its process was killed. `manage.py recover_loads` closes stuck loads")
    elif load.target is None or None in (load.rows_inserted, load.rows_updated, load.rows_deleted):
        reason = Text("it does not record its table and its numbers of rows. Loads of files do")
    elif load.tables > 1:
        reason = Text("it changed {tables:,} tables, but an undo is that of one table", tables=load.tables)
    if reason is not None or load.target is None:
        raise UndoRefused(load_id=load_id, reason=reason)
    return ViewName.parse(load.target)


def _require_no_later_loads(load_id: int, undo: Undoing, name: ViewName) -> None:
    if later := undo.later_loads():
        raise LaterLoads(load_id=load_id, later=_loads_text(later), table=name)


def _require_old_values(load_id: int, load: LockedLoad, undo: Undoing) -> None:
    missing = (load.rows_updated or 0) + (load.rows_deleted or 0) - undo.kept.updated - undo.kept.deleted
    if undo.kept.updated and not undo.kept.has_keys:
        missing = undo.kept.updated
    if missing > 0:
        raise OldValuesMissing(load_id=load_id, missing=format_count(missing, "row"))


def _require_rows_as_left(load_id: int, load: LockedLoad, undo: Undoing, name: ViewName) -> None:
    expected = (load.rows_inserted or 0) + (load.rows_updated or 0)
    left = undo.rows_as_left() if expected else 0  # without changes, no key can be compared either
    changed = max(expected - left, 0) + undo.rows_in_place_of_deleted()
    if changed:
        rows = format_count(expected + (load.rows_deleted or 0), "row")
        raise RowsChanged(load_id=load_id, changed=f"{changed:,}", rows=rows, table=name)


def _loads_text(load_ids: Sequence[int]) -> Text:
    """Return `load 5`, or `loads 7, 6 and 5`."""
    shown: list[str] = [str(one) for one in load_ids[:_MAX_LOADS_NAMED]]
    if load_ids[_MAX_LOADS_NAMED:]:
        shown.append(format_count(len(load_ids) - _MAX_LOADS_NAMED, "other load"))
    if len(shown) == 1:
        return Text("load {load_id}", load_id=shown[0])
    return Text("loads {load_ids} and {last}", load_ids=", ".join(shown[:-1]), last=shown[-1])
