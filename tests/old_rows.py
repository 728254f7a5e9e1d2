"""Rows of a given age."""

from seeder.models import RunHistory
from tests.conftest import sql


def insert_history_row(table: str, days: float, status: str = "success", *, manifest: int = 1, run: str = "") -> int:
    """Insert a refresh that ended `days` ago. Return its primary key.

    A row with an open status has only started then.
    """
    run, started_at = run or f"run {days} days ago", f"now() - {days} * interval '1 day'"
    [(pk,)] = sql(
        "INSERT INTO reporting.seeder_run_history"
        " (run_id, manifest_id, table_name, report_name, agency_id, agency_slug, report_type, status, start_time)"
        f" SELECT %s, %s::integer, %s, 'a report', 1, 'demo', 'custom', %s, {started_at} RETURNING id",
        *(run, manifest, table, status),
    )
    sql("UPDATE reporting.seeder_run_history SET finish_time = start_time WHERE id = %s AND status ~ '^[se]'", pk)
    return int(pk)


def insert_run(days: float, *, finished: bool = True) -> str:
    """Insert a run that started `days` ago. Return its id."""
    name, started_at = f"run {days} days ago", f"now() - {days} * interval '1 day'"
    sql(
        "INSERT INTO reporting.seeder_run"
        " (run_id, description, requested_by, started_at, finished_at, workers, manifests, agencies)"
        f" SELECT %s, 'everything', 'a test', {started_at}, {started_at if finished else 'NULL'}, 1, 1, '{{}}'",
        name,
    )
    return name


def insert_queued_part(request: str, days: float | None, *, part: int = 1, key: str = "") -> None:
    """Insert a part that ended `days` ago, or has not ended."""
    state, finished = ("queued", "NULL") if days is None else ("ended", f"now() - {days} * interval '1 day'")
    keys = f"jsonb_build_object('{key}', 'everything')" if key else "'{}'"
    sql(
        "INSERT INTO reporting.seeder_queued_refresh (request_id, part, parts, description, requested_by,"
        " manifests, views,"
        " agencies, state, finished_at, idempotency_keys)"
        f" SELECT %s, %s::integer, 2, 'everything', 'a test', '[]', '[]', '[]', '{state}', {finished}, {keys}",
        *(request, part),
    )


def history_ids() -> list[int]:
    """Return the ids of all history rows in the order of insertion."""
    return list(RunHistory.objects.order_by("id").values_list("id", flat=True))
