"""REFRESH_CONCURRENTLY=auto: the mode of each refresh is chosen by what earlier ones took."""

from collections.abc import Callable
from datetime import timedelta
from time import monotonic
from typing import Any

import pytest
from django.db.models import F
from pytest_django import Settings

from seeder.domain.mode_predictor import RefreshMode
from seeder.domain.outcomes import RefreshResult
from seeder.domain.refresh_mode import ModeChoice
from seeder.domain.refresh_requests import AllReports
from seeder.models import RunHistory, RunMetrics
from seeder.postgres import sessions
from seeder.services.history_rows import RunHistoryWriter
from seeder.services.run import mode_choice, orchestrator
from tests.conftest import CompletedCommand, another_session, create_canned_report, create_custom_manifest, sql

pytestmark = pytest.mark.usefixtures("contract_tables")
PLAIN, CONCURRENT = RefreshMode.PLAIN, RefreshMode.CONCURRENT
AUTO = {"REFRESH_CONCURRENTLY": "auto", "READER_WAIT_BUDGET_MS": 1000, "MAX_RETRIES": 0}
QUERY = "SELECT n, v FROM reporting.source"


@pytest.fixture(autouse=True)
def _with_chosen_modes(settings: Settings, contract_tables: None) -> None:
    settings.SEEDER = dict(AUTO)
    sql("CREATE TABLE reporting.source AS SELECT n, 0 AS v FROM generate_series(1, 1000) AS n")


def create_view(*, index: bool = True) -> None:
    """Create the view `reporting.a` and refresh it once."""
    sql(f"CREATE MATERIALIZED VIEW reporting.a AS {QUERY}")
    if index:
        sql("CREATE UNIQUE INDEX ON reporting.a (n)")
    create_custom_manifest("reporting.a", QUERY)
    refresh()


def refresh() -> RefreshResult:
    [result] = orchestrator.execute_run(AllReports()).results.values()
    assert result.failure is None
    return result


def pretend_duration(seconds: float, **metrics: object) -> None:
    """Change the duration of the refreshes in the history, and their metrics."""
    RunHistory.objects.update(finish_time=F("start_time") + timedelta(seconds=seconds))
    RunMetrics.objects.update(fell_back=False, **metrics)


def planned() -> ModeChoice:
    [view] = orchestrator.preview(AllReports()).views
    assert view.mode_choice
    return view.mode_choice


def test_view_without_history_is_refreshed_concurrently() -> None:
    create_view()
    assert RunMetrics.objects.get().mode == "concurrent"
    assert RunMetrics.objects.get().mode_reason == "Concurrent, because no refresh of the view has been measured."


def test_plan_and_result_have_the_choice_with_its_figures() -> None:
    create_view()
    pretend_duration(30, mode="plain")
    choice, result = planned(), refresh()
    assert (choice.mode, result.mode) == (CONCURRENT, CONCURRENT)
    assert result.mode_reason == choice.reason
    assert "a plain refresh takes about 30.00 s, and readers may wait 1.00 s" in (result.mode_reason or "")
    pretend_duration(0.5, mode="plain")
    assert planned().mode is PLAIN
    assert refresh().mode is PLAIN


def test_churn_is_measured_by_concurrent_refreshes(settings: Settings) -> None:
    settings.SEEDER = {**AUTO, "READER_WAIT_BUDGET_MS": 0}
    create_view()
    sql("UPDATE reporting.source SET v = 1 WHERE n <= 300")
    result = refresh()
    assert (result.cost.rows_inserted, result.cost.rows_deleted, result.rows_unchanged) == (300, 300, 700)
    assert planned().prediction.churn == pytest.approx(0.15)  # the median of 0 and 30 %


def test_plain_refresh_gives_up_if_a_reader_would_make_others_queue() -> None:
    create_view()
    pretend_duration(0.5, mode="plain")
    with another_session() as reader:
        reader.execute("BEGIN; SELECT count(*) FROM reporting.a")
        begun = monotonic()
        result = refresh()
    assert result.mode is CONCURRENT
    assert monotonic() - begun < 5
    assert result.mode_reason == (
        "Concurrent, because a session used the view for longer than 0.50 s, and others would have queued."
    )
    assert refresh().mode is PLAIN


def test_lock_timeout_of_a_plain_refresh_ends_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    create_view()
    pretend_duration(0.99, mode="plain")  # 10 ms remain for the lock
    original, limits = RunHistoryWriter.record_success, []

    def observed(*args: Any, **kwargs: Any) -> RefreshResult:
        limits.append(sql("SHOW lock_timeout"))
        return original(*args, **kwargs)

    monkeypatch.setattr(RunHistoryWriter, "record_success", observed)
    assert refresh().mode is PLAIN
    assert limits == [[("2s",)]]


def test_open_window_allows_a_long_plain_refresh(settings: Settings) -> None:
    create_view()
    pretend_duration(30, mode="plain")
    settings.SEEDER = {**AUTO, "MAINTENANCE_WINDOWS": "00:00-12:00 UTC; 12:00-24:00 UTC"}
    assert planned().mode is PLAIN
    result = refresh()
    assert result.mode is PLAIN
    assert "maintenance window until" in (result.mode_reason or "")


def test_window_is_that_of_the_start_not_of_the_plan(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    create_view()
    pretend_duration(30, mode="plain")
    settings.SEEDER = {**AUTO, "MAINTENANCE_WINDOWS": "00:00-12:00 UTC; 12:00-24:00 UTC"}
    original = mode_choice.choose

    def much_later(view: Any, settings: Any, now: Any) -> ModeChoice:
        return original(view, settings.__class__(**{**vars(settings), "maintenance_windows": ()}), now)

    monkeypatch.setattr(mode_choice, "choose", much_later)
    assert (planned().mode, refresh().mode) == (PLAIN, CONCURRENT)


def test_view_without_unique_index_is_plain_with_the_note_of_a_fallback() -> None:
    create_view(index=False)
    pretend_duration(30)
    assert (planned().mode, planned().is_forced) == (PLAIN, True)
    result = refresh()
    assert (result.mode, result.fell_back) == (PLAIN, True)
    assert "no usable unique index" in (result.mode_reason or "")
    pretend_duration(0.1)
    result = refresh()
    assert (result.mode, result.fell_back, result.notes) == (PLAIN, False, ())


def test_view_without_unique_index_fails_beyond_the_budget_without_fallback(settings: Settings) -> None:
    create_view(index=False)
    pretend_duration(30)
    settings.SEEDER = {**AUTO, "CONCURRENT_FALLBACK": False}
    [result] = orchestrator.execute_run(AllReports()).results.values()
    assert result.failure
    assert result.failure.sqlstate == "55000"


def test_one_row_of_each_run_counts_for_shared_views() -> None:
    sql(f"CREATE MATERIALIZED VIEW reporting.a AS {QUERY}")
    sql("CREATE UNIQUE INDEX ON reporting.a (n)")
    create_canned_report("reporting.a", QUERY, agencies=("demo", "metro", "harbor"))
    for _ in range(3):
        refresh()
    [view] = orchestrator.preview(AllReports()).views
    assert view.mode_facts
    assert len(view.mode_facts.past) == 3


def test_missing_metrics_table_makes_every_refresh_concurrent() -> None:
    create_view()
    sql("DROP TABLE reporting.seeder_run_metrics")
    assert planned().prediction.plain is None
    assert refresh().mode is CONCURRENT


def test_facts_take_the_same_statements_for_any_number_of_views(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    original = sessions.query

    def counted(database: str, statement: Any, *arguments: Any, **options: Any) -> Any:
        calls.append(str(statement))
        return original(database, statement, *arguments, **options)

    monkeypatch.setattr(sessions, "query", counted)
    counts = []
    for number in range(2):
        create_custom_manifest(f"reporting.v{number}", QUERY)
        orchestrator.execute_run(AllReports())
        calls.clear()
        assert len(orchestrator.preview(AllReports()).views) == number + 1
        counts.append(len(calls))
    assert counts[0] == counts[1] > 0


def test_dry_run_shows_modes_as_table_lines_and_json(
    manage: Callable[..., CompletedCommand], settings: Settings
) -> None:
    create_view()
    pretend_duration(30, mode="plain", rows_inserted=10, rows_deleted=10)
    [view] = manage("refresh_all", "--dry-run", "--json").document["views"]
    assert view["mode"].items() >= {"mode": "concurrent", "plainSeconds": 30, "churn": None, "bloat": 1}.items()
    lines = manage("refresh_all", "--dry-run").out
    assert "Concurrent, because a plain refresh takes about 30.00 s" in lines
    table = manage("refresh_all", "--dry-run", "--table").out
    assert all(text in table for text in ("concurrent", "30.00 s", "bloat"))
    settings.SEEDER = {"REFRESH_CONCURRENTLY": False}
    [view] = manage("refresh_all", "--dry-run", "--json").document["views"]
    assert view["mode"] is None


def test_run_shows_the_mode_and_the_unchanged_rows(manage: Callable[..., CompletedCommand], settings: Settings) -> None:
    create_view()
    settings.SEEDER = {**AUTO, "READER_WAIT_BUDGET_MS": 0}
    sql("UPDATE reporting.source SET v = 1 WHERE n = 1")
    lines = manage("refresh_all").out
    assert "1 inserted, 1 deleted, 999 unchanged" in lines
    assert "readers may wait 0.00 s" in lines
    [view] = manage("refresh_all", "--json").document["views"]
    assert (view["mode"], view["rowsInserted"], view["rowsUnchanged"]) == ("concurrent", 0, 1000)
    assert view["modeReason"].startswith("Concurrent, because")
