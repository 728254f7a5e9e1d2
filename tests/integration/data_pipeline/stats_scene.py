"""Views with loads behind them, and requests for their statistics."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from data_pipeline import process_once
from data_pipeline.services.stats.reading import Statistic, StatisticRequest, read_statistic
from seeder.domain.refresh_requests import AllReports
from seeder.services.run.orchestrator import execute_run
from tests.conftest import sql

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)


def load(number: int, statement: str, *, table: str = "sales") -> int:
    """Run a statement as a load of a table in the schema landing."""
    with process_once(source="test", payload_meta={}, idempotency_key=f"{number:064x}") as handle:
        assert handle is not None
        sql(statement)
        handle.target = f"landing.{table}"
        handle.changed_relations = [("landing", table)]
    return int(handle.load_id)


def refresh() -> None:
    assert not execute_run(AllReports()).failed


def read(
    name: str = "sales", filters: Mapping[str, str] | None = None, *, agencies: list[str] | None = None, **more: Any
) -> Statistic:
    """Read a statistic at noon of 2026-11-30. `more` are days and a page."""
    request = StatisticRequest(name=name, agencies=agencies, filters=filters or {}, **more)
    return read_statistic(request, clock=lambda: NOW)


def rows(*arguments: Any, **options: Any) -> list[list[Any]]:
    return [list(row) for row in read(*arguments, **options).read.rows]
