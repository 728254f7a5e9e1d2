"""The statements that count the columns of a view."""

from typing import Any

import pytest

from seeder.postgres import column_statistics
from seeder.services.snapshots.release_snapshots import capture_release_snapshot
from tests.conftest import sql
from tests.integration.captured_views import create_view_with_manifest

pytestmark = pytest.mark.usefixtures("contract_tables")


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, bool]]:
    """Record each statement, and whether the columns' types support it."""
    recorded: list[tuple[str, bool]] = []
    original = column_statistics.query_if_supported

    def query_and_record(database: str, statement: Any) -> Any:
        rows = original(database, statement)
        recorded.append((statement.as_string(), rows is not None))
        return rows

    monkeypatch.setattr(column_statistics, "query_if_supported", query_and_record)
    return recorded


def test_column_without_minimum_does_not_split_a_shared_scan(statements: list[tuple[str, bool]]) -> None:
    view = create_view_with_manifest(query="SELECT n % 2 = 0 AS a, n % 3 AS b FROM generate_series(1, 99) AS n")
    sql(f"ANALYZE {view}")
    found = capture_release_snapshot(view, "v1")
    assert [is_supported for _, is_supported in statements] == [True]
    assert (found.statistics.columns["a"].minimum, found.statistics.columns["a"].maximum) == ("false", "true")


def test_only_numbers_and_times_with_many_values_are_sorted(statements: list[tuple[str, bool]]) -> None:
    view = create_view_with_manifest(
        query="SELECT nullif(n, 1) % 30000 AS number, n::text AS word, n % 9 AS kind,"
        " date '2000-01-01' + n % 30000 AS day FROM generate_series(0, 59999) AS n"
    )
    found = capture_release_snapshot(view, "v1", top_values_columns=["number"])
    sorted_columns = {
        name for name in found.statistics.columns for one, _ in statements if f'ORDER BY v."{name}"' in one
    }
    assert sorted_columns == {"number", "day"}
    number = found.statistics.columns["number"]
    assert (number.nulls, number.distinct, number.minimum, number.maximum) == (1, 30000, "0", "29999")
    assert {top.value for top in number.top or ()} == {"0", *map(str, range(2, 11))}
