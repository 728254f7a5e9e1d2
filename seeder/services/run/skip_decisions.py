"""The only reader and writer of the optional table of skip decisions."""

import json
from collections.abc import Iterable, Mapping
from datetime import timedelta

from django.db import DEFAULT_DB_ALIAS

from seeder.domain.manifests import ViewKey
from seeder.domain.outcomes import Outcome, RefreshResult
from seeder.domain.plan import PlannedView
from seeder.domain.skip_decision import PastRefresh
from seeder.domain.skip_proof import SkipProof
from seeder.domain.view_names import ViewName
from seeder.postgres import sessions
from seeder.postgres.catalog import name_lists
from seeder.postgres.contract import OptionalTables
from seeder.postgres.named_statements import STATEMENTS

TABLE = "seeder_skip_decision"


def past_refreshes(views: Iterable[ViewKey], tables: OptionalTables) -> Mapping[ViewKey, PastRefresh]:
    """Return the refresh that the rows of each view are from. Takes one statement, and none without the table."""
    keys = list(views)
    if not keys or not tables.is_usable(TABLE):
        return {}
    parameters = {"databases": [key.database for key in keys], **name_lists(key.name for key in keys)}
    return {
        ViewKey(database=database, name=ViewName(schema=schema, name=name)): PastRefresh(
            refreshed_at=refreshed_at,
            duration=timedelta(seconds=seconds),
            rows=rows,
            size_bytes=size,
            activity={int(oid): written for oid, written in json.loads(activity).items()},
            proof=None if proof is None else SkipProof.from_document(json.loads(proof)),
        )
        for database, schema, name, refreshed_at, seconds, rows, size, activity, proof in sessions.query(
            DEFAULT_DB_ALIAS, STATEMENTS["last_skip_decisions"], parameters
        )
    }


def save(view: PlannedView, history_id: int, result: RefreshResult) -> None:
    """Save the decision about a view, in the transaction that closes its history rows.

    A skip keeps the refresh that the rows of the view are from, and its proof.
    """
    plan = view.skip_plan
    if plan is None or plan.reads is None or result.failure is not None or result.satisfied_by is not None:
        return
    is_skipped, past = result.outcome is Outcome.SKIPPED, plan.past
    proof = None if result.proof is None else result.proof.as_document()
    if is_skipped and proof is not None:
        proof["confirmed"] = result.started_at.isoformat()
    from_past = past if is_skipped else None
    parameters = {
        "history_id": history_id,
        "database": view.key.database,
        "schema": view.key.name.schema,
        "name": view.key.name.name,
        "is_skipped": is_skipped,
        "reason": result.skip_reason or plan.reason,
        "refreshed_at": from_past.refreshed_at if from_past else result.started_at,
        "refresh_seconds": (from_past.duration if from_past else result.duration).total_seconds(),
        "rows": result.rows,
        "bytes": result.size_bytes,
        "activity": json.dumps(dict(plan.reads.activity)),
        "proof": None if proof is None else json.dumps(proof),
    }
    sessions.query(DEFAULT_DB_ALIAS, STATEMENTS["save_skip_decision"], parameters)
