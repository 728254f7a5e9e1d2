"""A group of three views, of which one lies between the others, and a view that reads it."""

from collections.abc import Mapping
from typing import Any

from seeder.domain.outcomes import RefreshResult
from seeder.domain.refresh_requests import AllReports, RefreshRequest
from seeder.services.run import orchestrator
from tests.conftest import create_custom_manifest, sql

GROUP = {"views": ["reporting.a", "reporting.c"]}
VERSIONS = """
SELECT
    (SELECT max(version) FROM reporting.a), (SELECT max(id) FROM reporting.b), (SELECT version FROM reporting.c)
"""


def create_view(name: str, query: str) -> None:
    sql(f"CREATE MATERIALIZED VIEW reporting.{name} AS {query}; CREATE UNIQUE INDEX ON reporting.{name} (id)")
    create_custom_manifest(f"reporting.{name}", query)


def create_grouped_views() -> None:
    sql("CREATE TABLE reporting.source AS SELECT i AS id, 0 AS version FROM generate_series(1, 20) AS i")
    sql("CREATE TABLE reporting.divisor AS SELECT 1 AS n")
    create_view("a", "SELECT id, version FROM reporting.source")
    create_view("b", "SELECT version AS id, count(*) AS n FROM reporting.a GROUP BY version")
    # It reads the source at another time than the first member.
    version = "(SELECT max(version) FROM reporting.source) AS version"
    create_view("c", f"SELECT 1 / d.n AS id, {version} FROM reporting.b, reporting.divisor AS d")
    create_view("outside", "SELECT id FROM reporting.c")


def refresh(request: RefreshRequest | None = None) -> Mapping[str, RefreshResult]:
    summary = orchestrator.execute_run(request or AllReports())
    return {view.key.name.name: result for view, result in summary.results.items()}


def load(version: int) -> None:
    sql(f"UPDATE reporting.source SET version = {version}")


def published_versions() -> tuple[Any, ...]:
    [versions] = sql(VERSIONS)
    return versions
