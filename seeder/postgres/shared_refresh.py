"""Refreshes small views in one transaction, in one round trip."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from seeder.domain.view_names import ViewName
from seeder.postgres import transactions, view_statements
from seeder.postgres.named_statements import STATEMENTS

LOCK_TIMEOUT_MS = 50  # much less than deadlock_timeout, after which a reader of two views would be ended
STATEMENT_TIMEOUT_MS = 250  # of a view that was expected to be small; readers of the others wait for it


@dataclass(frozen=True, kw_only=True, slots=True)
class WrittenView:
    """A view that was refreshed plainly. Times are by the server's clock."""

    started_at: datetime
    finished_at: datetime
    rows_inserted: int  # all its rows
    rows_deleted: int
    size_bytes: int  # on disk, with indexes and TOAST
    snapshot: str  # a pg_snapshot of transactions that it contains


def refresh_together(
    database: str, views: Sequence[ViewName], parameters: Mapping[str, Any], *, lock_inputs: bool, record_states: bool
) -> Sequence[WrittenView]:
    """Lock, look at, refresh and record the views, and commit. Return what was written, in their order.

    The parameters are those of the statements below. Raises a database error if anything else has to be done than to
    refresh: then nothing was published, unless the connection was lost.
    """
    before = [
        "pin_transactions",
        "apply_limits",
        "lock_shared_views",
        "require_unrefreshed",
        *(["choose_inputs", "lock_shared_inputs"] if lock_inputs else []),
        "look_at_shared_views",
    ]
    after = [*(["record_shared_states"] if record_states else []), "flush_backend_statistics"]
    statements = [
        *_named(before),
        *(text for view in views for text in (_refresh(view), STATEMENTS["note_time"])),
        STATEMENTS["record_shared_refreshes"],
        *_named(after),
    ]
    results = transactions.query_transaction(database, statements, parameters)
    [(*_, snapshot)] = results[len(before) - 1]
    return [
        WrittenView(
            started_at=started,
            finished_at=finished,
            rows_inserted=inserted,
            rows_deleted=deleted,
            size_bytes=size,
            snapshot=snapshot,
        )
        for started, finished, inserted, deleted, size, _ in results[len(before) + 2 * len(views)]
    ]


def _named(names: Iterable[str]) -> list[str]:
    return [STATEMENTS[name] for name in names]


def _refresh(view: ViewName) -> str:
    return view_statements.refresh_materialized_view(view).as_string().replace("%", "%%") + ";"
