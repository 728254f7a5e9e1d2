"""A view with data checks, and runs that refresh it."""

from typing import Any

from seeder.domain.outcomes import RefreshResult
from seeder.domain.refresh_requests import AllReports, SingleView
from seeder.domain.view_names import ViewName
from seeder.models import DataCheck
from seeder.services.run import orchestrator
from tests.conftest import create_custom_manifest, sql


def create_view(name: str = "a", query: str = "SELECT * FROM reporting.source") -> None:
    """Create the manifest of a view of `reporting.source`, which has 1,000 good rows."""
    if not sql("SELECT to_regclass('reporting.source') IS NOT NULL")[0][0]:
        sql(
            "CREATE TABLE reporting.source AS SELECT i AS id, CASE i % 2 WHEN 0 THEN 'open' ELSE 'done' END AS status,"
            " i::numeric AS amount, now() AS at FROM generate_series(1, 1000) AS i"
        )
    create_custom_manifest(f"reporting.{name}", query)


def add_check(kind: str, *, name: str = "", view: str = "reporting.a", **columns: Any) -> DataCheck:
    """Add a data check. Columns of the table that are not given have their defaults."""
    return DataCheck.objects.create(table_name=view, check_name=name or kind, kind=kind, **columns)


def refresh() -> dict[str, RefreshResult]:
    """Refresh all views. Return the results by the names of the views."""
    summary = orchestrator.execute_run(AllReports())
    return {view.key.name.name: result for view, result in summary.results.items()}


def refresh_only(name: str) -> RefreshResult:
    """Refresh one view. Return its result."""
    [result] = orchestrator.execute_run(SingleView(name=ViewName.parse(f"reporting.{name}"))).results.values()
    return result


def outcomes(result: RefreshResult) -> dict[str, str]:
    """Return the outcome of each check."""
    return {one.check.name: str(one.outcome) for one in result.checks}
