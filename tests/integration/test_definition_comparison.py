"""Queries compared with the definitions of views, in batches and over two connections."""

from collections.abc import Sequence
from threading import Event, get_ident
from typing import Any

import pytest
from django.db import OperationalError, connections

from seeder.domain.view_names import ViewName
from seeder.postgres import definition_comparison, view_survey
from tests.conftest import another_session, sql

pytestmark = pytest.mark.usefixtures("contract_tables")

VIEWS = 12
CHANGED_QUERIES = {
    2: "SELECT n FROM reporting.source WHERE n > 1",
    3: "SELECT gone FROM reporting.source",
    7: "SELECT n FROM reporting.locked",
    8: "SELECT n FROM reporting.source; SELECT 1",
    11: "SELEKT",
}
DRIFT = {
    "v2": None,
    "v3": 'column "gone" does not exist',
    "v8": "cannot insert multiple commands into a prepared statement",
    "v11": 'syntax error at or near "SELEKT"',
}


def create_views() -> dict[ViewName, list[str]]:
    sql("CREATE TABLE reporting.source AS SELECT 1 AS n; CREATE TABLE reporting.locked AS SELECT 1 AS n")
    queries = {}
    for number in range(VIEWS):
        sql(f"CREATE MATERIALIZED VIEW reporting.v{number} AS SELECT n FROM reporting.source")
        query = CHANGED_QUERIES.get(number, "SELECT n FROM reporting.source")
        queries[ViewName(schema="reporting", name=f"v{number}")] = [query]
    return queries


def drift_by_name(surveyed: view_survey.Survey) -> dict[str, str | None]:
    return {view.name: cause for (view, _), cause in surveyed.drift.items()}


@pytest.mark.parametrize("pairs_for_helper", [1, 1000])
@pytest.mark.parametrize("batch", [1, 2, 7, 50])
def test_queries_of_one_batch_have_separate_results(
    batch: int, pairs_for_helper: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(definition_comparison, "_BATCH_SIZE", batch)
    monkeypatch.setattr(definition_comparison, "_PAIRS_FOR_HELPER", pairs_for_helper)
    queries = create_views()
    with another_session() as other_session, other_session.transaction():
        other_session.execute("LOCK reporting.locked")
        surveyed = view_survey.survey("default", queries)
    assert drift_by_name(surveyed) == DRIFT
    assert len(surveyed.confirmed) == VIEWS - len(DRIFT) - 1  # the locked view is neither


def test_many_queries_are_compared_over_two_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(definition_comparison, "_BATCH_SIZE", 1)
    monkeypatch.setattr(definition_comparison, "_PAIRS_FOR_HELPER", VIEWS)
    own_thread, helped, compare = get_ident(), Event(), definition_comparison._compare

    def compare_after_helper(database: str, pairs: Sequence[definition_comparison.Pair], *names: Any) -> object:
        if get_ident() != own_thread:
            helped.set()
        assert helped.wait(10), "the second connection compared nothing"
        return compare(database, pairs, *names)

    monkeypatch.setattr(definition_comparison, "_compare", compare_after_helper)
    progress: list[tuple[int, int]] = []
    surveyed = view_survey.survey("default", create_views(), on_progress=lambda *counts: progress.append(counts))
    assert drift_by_name(surveyed) == {**DRIFT, "v7": None}
    assert progress == [(number, VIEWS) for number in range(1, VIEWS + 1)]


def test_without_a_second_connection_all_queries_are_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(definition_comparison, "_PAIRS_FOR_HELPER", VIEWS)
    own_thread, queries = get_ident(), create_views()
    wrapper = type(connections["default"])
    connect, refused = wrapper.connect, Event()

    def refuse_helper(connection: Any) -> None:
        if get_ident() != own_thread:
            refused.set()
            raise OperationalError("too many connections")
        connect(connection)

    monkeypatch.setattr(wrapper, "connect", refuse_helper)
    surveyed = view_survey.survey("default", queries)
    assert refused.is_set()
    assert drift_by_name(surveyed) == {**DRIFT, "v7": None}
