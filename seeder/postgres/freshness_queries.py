"""What is known about the refreshes of views with freshness contracts."""

from collections.abc import Collection, Mapping

from django.db import DEFAULT_DB_ALIAS
from psycopg import sql

from seeder.domain.freshness.states import ViewFacts
from seeder.domain.outcomes import HeldReason, Status
from seeder.postgres import sessions
from seeder.postgres.named_statements import STATEMENTS

_HELD_REASONS = {*HeldReason}
_STATUSES: Mapping[str | None, Status | None] = {None: None} | {str(status): status for status in Status}
_MAX_EXACT = 100  # views with exact durations; those of more are in whole seconds, which is enough for deadlines
_NO_METRICS = sql.SQL("(SELECT NULL::bigint AS history_id, NULL::text AS reason)")


def view_facts(names: Collection[str], *, has_metrics: bool) -> Mapping[str, ViewFacts]:
    """Return the facts of views by their names as manifests spell them."""
    metrics = sql.Identifier("reporting", "seeder_run_metrics") if has_metrics else _NO_METRICS
    statement = sql.SQL(STATEMENTS["contract_facts"]).format(metrics=metrics)
    parameters = {"names": list(names), "exact": len(names) <= _MAX_EXACT}
    rows = sessions.query(DEFAULT_DB_ALIAS, statement, parameters)
    return {
        name: ViewFacts(
            status=_STATUSES[status],
            failing=failures > 0,
            last_started_at=started_at,
            last_success_at=started_at if succeeded else success_at,
            usual_duration=duration,
            is_held=reason is not None and reason in _HELD_REASONS,
        )
        for name, status, failures, started_at, succeeded, success_at, duration, reason in rows
    }
