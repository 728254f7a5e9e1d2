"""The outbox of refreshes that loads request, in the table `load_refresh`."""

import json
from collections.abc import Sequence
from datetime import timedelta

from data_pipeline.domain.refresh_dispatches import RequestedRefresh
from data_pipeline.postgres.json_values import jsonb
from data_pipeline.postgres.statements import STATEMENTS
from seeder.postgres import sessions


def claim(database: str, *, load_id: int | None, left_after: timedelta) -> list[RequestedRefresh]:
    """Claim the request of a load, and other undispatched ones.

    Those were committed `left_after` ago. Oldest first.
    """
    parameters = {"load_id": load_id, "left_after": left_after}
    rows = sessions.query(database, STATEMENTS["claim_refreshes"], parameters)
    return [
        RequestedRefresh(
            id=pk, load_id=load_id, relations=[(one[0], one[1]) for one in json.loads(text)], created_at=created_at
        )
        for pk, load_id, text, created_at in sorted(rows)  # Django's connections return JSON as text
    ]


def release(database: str, rows: Sequence[RequestedRefresh]) -> None:
    """Give back claimed rows that could not be dispatched."""
    sessions.query(database, STATEMENTS["release_refreshes"], {"ids": [row.id for row in rows]})


def mark_dispatched(
    database: str, rows: Sequence[RequestedRefresh], *, request_id: str | None, views: Sequence[str]
) -> None:
    """Store the request of some rows, and the dependent views."""
    parameters = {
        "ids": [row.id for row in rows],
        "created_at": [row.created_at for row in rows],
        "request_id": request_id,
        "views": jsonb(list(views)),
    }
    sessions.query(database, STATEMENTS["mark_dispatched"], parameters)
