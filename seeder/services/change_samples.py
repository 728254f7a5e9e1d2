"""The only reader and writer of the optional table of change samples."""

import json
from dataclasses import replace

from django.db import DEFAULT_DB_ALIAS

from seeder import conf
from seeder.change_sample_errors import BadSampleSize, SampleTableUnusable
from seeder.domain.manifests import Selection, ViewKey
from seeder.domain.outcomes import Outcome, RefreshResult
from seeder.domain.plan import PlannedView, RefreshPlan
from seeder.domain.refresh_requests import RefreshRequest, SingleView
from seeder.domain.row_changes import MAX_SAMPLE_ROWS, NOTHING_CHANGED, ChangeRequest
from seeder.domain.view_names import ViewName
from seeder.models import ChangeSample
from seeder.postgres import sessions
from seeder.postgres.contract import OptionalTables, optional_tables
from seeder.postgres.named_statements import STATEMENTS
from seeder.services import manifest_selection
from seeder.services.storable_text import is_storable

TABLE = "seeder_change_sample"


def request_samples(request: RefreshRequest, *, requested_by: str) -> None:
    """Have the next published refresh record the rows that it changes, if the request asks for them.

    Raises `BadSampleSize`, `SampleTableUnusable`, `RequestError` or `DatabaseError`.
    """
    if _max_rows(request) is not None:
        require_possible(request)
        selection = manifest_selection.select(request, databases=conf.load().databases)
        store_requests(request, selection, requested_by=requested_by)


def require_possible(request: RefreshRequest) -> None:
    """Raise `BadSampleSize` or `SampleTableUnusable` if the request asks for changed rows that cannot be stored."""
    if (max_rows := _max_rows(request)) is None:
        return
    if not 1 <= max_rows <= MAX_SAMPLE_ROWS:
        raise BadSampleSize(rows=max_rows, max_rows=MAX_SAMPLE_ROWS)
    tables = OptionalTables.read(DEFAULT_DB_ALIAS)
    if not tables.is_usable(TABLE):
        raise SampleTableUnusable(reason=tables.unusable[TABLE], lost_feature=optional_tables()[TABLE])


def store_requests(request: RefreshRequest, selection: Selection, *, requested_by: str) -> None:
    """Store that the request asks for changed rows, if it does.

    The selection has its view in each database, and can have other members of a consistent group.
    """
    if not isinstance(request, SingleView) or request.max_changed_rows is None:
        return
    facts = {"view": str(request.name), "max_rows": request.max_changed_rows, "requested_by": requested_by}
    for key in {spec.key for spec in selection.views if spec.key.name == request.name}:
        parameters = {"database": key.database, **facts}
        sessions.query(DEFAULT_DB_ALIAS, STATEMENTS["request_change_sample"], parameters)


def _max_rows(request: RefreshRequest) -> int | None:
    return request.max_changed_rows if isinstance(request, SingleView) else None


def add_requests(plan: RefreshPlan, tables: OptionalTables) -> RefreshPlan:
    """Return the plan with the requests that wait for its views. Takes one statement, and none without the table."""
    if not plan.views or not tables.is_usable(TABLE):
        return plan
    waiting = {}
    for row in ChangeSample.objects.filter(history=None):
        if (name := ViewName.parse_or_none(row.table_name)) is not None:
            key = ViewKey(database=row.database_alias, name=name)
            waiting[key] = ChangeRequest(id=row.pk, max_rows=row.max_rows)
    if not waiting:
        return plan
    views = (replace(view, change_request=waiting.get(view.key)) for view in plan.views)
    return replace(plan, views=tuple(views))


def save(view: PlannedView, run_id: str, history_id: int, result: RefreshResult) -> None:
    """Answer the request for a view, in the transaction that closes its history rows.

    It keeps waiting if the view was not refreshed by this run.
    """
    changes = NOTHING_CHANGED if result.outcome is Outcome.SKIPPED else result.changes
    if view.change_request is None or changes is None or result.failure is not None:
        return
    rows, note = [row.as_stored() for row in changes.rows], changes.note
    if not is_storable(json.dumps(rows, ensure_ascii=False)):
        rows, note = [], "The rows have characters that the default database cannot store."
    parameters = {
        "id": view.change_request.id,
        "history_id": history_id,
        "run": run_id,
        "inserted": changes.inserted,
        "deleted": changes.deleted,
        "updated": changes.updated,
        "note": note,
        "rows": json.dumps(rows),
    }
    sessions.query(DEFAULT_DB_ALIAS, STATEMENTS["save_change_sample"], parameters)
