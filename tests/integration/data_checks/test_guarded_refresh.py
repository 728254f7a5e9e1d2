"""Views with data checks: published if the checks pass, otherwise held with their old rows."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from seeder.domain.data_checks.results import CheckOutcome
from seeder.domain.outcomes import Outcome
from seeder.models import (
    CircuitBreaker,
    CustomReportManifest,
    DataCheck,
    DataCheckResult,
    JobStatus,
    RunHistory,
    RunMetrics,
    ViewState,
)
from seeder.postgres import data_check_queries, sessions
from seeder.postgres.named_statements import STATEMENTS
from seeder.services.documents.data_check_documents import check_document
from seeder.services.read_models.check_results import list_checks
from tests.conftest import another_session, sql
from tests.integration.data_checks.checked_view import (
    add_check,
    create_view,
    outcomes,
    refresh,
    refresh_only,
)

pytestmark = pytest.mark.usefixtures("contract_tables")
MODES = pytest.mark.parametrize("concurrently", [False, True], ids=["plain", "concurrent"])


def add_one_of_each_kind() -> None:
    add_check("row_count", arguments={"min": 500, "max_drop": 0.2, "max_growth": 0.5})
    add_check("not_null", arguments={"column": "id"})
    add_check("unique", arguments={"columns": ["id"]})
    add_check("accepted_values", arguments={"column": "status", "values": ["open", "done"]})
    add_check("range", arguments={"column": "amount", "min": 0, "max": 1000})
    add_check("freshness", arguments={"column": "at", "max_age_hours": 24})
    add_check("condition", arguments={"expression": "amount < 1e9 -- a comment"})
    add_check("query", arguments={"query": "SELECT id FROM reporting.a WHERE amount > 1e9;"})


@MODES
def test_view_whose_checks_pass_is_published(settings: Settings, concurrently: bool) -> None:  # noqa: FBT001
    settings.SEEDER = {"REFRESH_CONCURRENTLY": concurrently}
    create_view()
    add_one_of_each_kind()
    assert refresh()["a"].outcome is Outcome.CREATED
    sql("CREATE UNIQUE INDEX ON reporting.a (id)")
    sql("UPDATE reporting.source SET amount = 2 WHERE id = 1")
    result = refresh()["a"]
    assert (result.outcome, result.rows, result.notes) == (Outcome.REFRESHED, 1000, ())
    assert set(outcomes(result).values()) == {"passed"}
    assert len(result.checks) == 8
    assert sql("SELECT amount FROM reporting.a WHERE id = 1") == [(2,)]
    assert DataCheckResult.objects.filter(outcome="passed").count() == 16


@MODES
def test_view_with_bad_rows_is_held_with_old_rows(settings: Settings, concurrently: bool) -> None:  # noqa: FBT001
    settings.SEEDER = {"REFRESH_CONCURRENTLY": concurrently}
    create_view()
    add_one_of_each_kind()
    refresh()
    sql("CREATE UNIQUE INDEX ON reporting.a (id)")
    sql("DELETE FROM reporting.source WHERE id > 100")
    sql("UPDATE reporting.source SET status = '?' WHERE id < 4")
    sql("UPDATE reporting.source SET at = now() - interval '25 hours'")
    result = refresh()["a"]
    assert (result.outcome, result.attempts) == (Outcome.HELD, 1)
    assert {name for name, outcome in outcomes(result).items() if outcome == "failed"} == {
        "row_count",
        "accepted_values",
        "freshness",
    }
    assert sql("SELECT count(*), min(status) FROM reporting.a") == [(1000, "done")]
    message = str(result.failure and result.failure.message)
    assert "3 of 8 data checks: row_count: 100 rows, expected at least 800 and at most 1,500 (last acc" in message
    assert 'accepted_values: 3 of 100 rows with another value in column "status".\n  {"at": ' in message
    row = RunHistory.objects.latest("id")
    assert (row.status, row.errors) == ("error", message)
    assert JobStatus.objects.get().consecutive_failures == 1
    assert RunMetrics.objects.get(history=row).reason == "held"
    saved = DataCheckResult.objects.get(history=row, check_name="accepted_values")
    assert (saved.figures, len(saved.samples)) == ({"rows": 100, "bad_rows": 3, "tolerated": 0}, 3)


def test_held_view_that_is_new_is_not_created() -> None:
    create_view()
    add_check("row_count", arguments={"min": 1001})
    assert refresh()["a"].outcome is Outcome.HELD
    assert sql("SELECT to_regclass('reporting.a')") == [(None,)]


def test_failed_warning_is_published_with_a_note() -> None:
    create_view()
    add_check("row_count", arguments={"min": 1001}, severity="warn")
    result = refresh()["a"]
    assert (result.outcome, outcomes(result)) == (Outcome.CREATED, {"row_count": "failed"})
    assert result.notes == ("Warning of data check row_count: 1,000 rows, expected at least 1,001.",)


@pytest.mark.parametrize(
    ("tolerated", "outcome"),
    [
        ({"tolerated_rows": 3}, Outcome.CREATED),
        ({"tolerated_rows": 2}, Outcome.HELD),
        ({"tolerated_share": 0.003}, Outcome.CREATED),
        ({"tolerated_share": 0.002}, Outcome.HELD),
    ],
)
def test_tolerated_bad_rows_do_not_hold(tolerated: dict[str, Any], outcome: Outcome) -> None:
    create_view()
    sql("UPDATE reporting.source SET id = NULL WHERE id < 4")
    add_check("not_null", arguments={"column": "id"}, **tolerated)
    assert refresh()["a"].outcome is outcome


def test_repeated_values_hold_the_view_and_are_shown() -> None:
    create_view()
    sql("UPDATE reporting.source SET id = 7 WHERE id < 4")
    sql("UPDATE reporting.source SET id = NULL WHERE id > 998")
    add_check("unique", arguments={"columns": ["id"]})
    [result] = refresh()["a"].checks
    assert (result.figures["bad_rows"], result.samples) == (3, ('{"id": 7, "rows with these values": 4}',))


def test_unique_index_answers_a_unique_check(monkeypatch: pytest.MonkeyPatch) -> None:
    create_view()
    refresh()
    sql("CREATE UNIQUE INDEX ON reporting.a (id)")
    add_check("unique", arguments={"columns": ["status", "id"]})

    def fail(*_: object, **__: object) -> None:
        raise AssertionError

    monkeypatch.setattr(data_check_queries, "repeated_statement", fail)
    assert outcomes(refresh()["a"]) == {"unique": "passed"}


def test_unique_index_on_other_columns_answers_nothing() -> None:
    create_view()
    refresh()
    sql("CREATE UNIQUE INDEX ON reporting.a (id)")
    sql("CREATE UNIQUE INDEX ON reporting.a (status) WHERE id = 1")
    sql("CREATE UNIQUE INDEX ON reporting.a (lower(status), id)")
    add_check("unique", arguments={"columns": ["status"]})
    [result] = refresh()["a"].checks
    assert (str(result.outcome), result.figures["bad_rows"]) == ("failed", 998)


def test_view_in_another_schema_or_spelling_is_checked() -> None:
    create_view('"A b"')
    add_check("row_count", view='reporting."A b"', arguments={"min": 1001})
    add_check("row_count", view="reporting.b", arguments={"min": 1001})
    assert refresh()["A b"].outcome is Outcome.HELD


def test_disabled_check_does_not_run() -> None:
    create_view()
    add_check("row_count", arguments={"min": 1001}, enabled=False)
    assert refresh()["a"].checks == ()


def test_first_refresh_has_no_last_accepted_count() -> None:
    create_view()
    add_check("row_count", arguments={"max_drop": 0.1})
    assert refresh()["a"].outcome is Outcome.CREATED
    sql("DELETE FROM reporting.source WHERE id > 900")
    assert refresh()["a"].outcome is Outcome.REFRESHED, "as many as allowed"
    sql("DELETE FROM reporting.source WHERE id > 800")
    for _ in range(2):
        result = refresh()["a"]
        assert (result.outcome, result.checks[0].figures["last_accepted"]) == (Outcome.HELD, 900)


def test_held_view_does_not_open_the_breaker(settings: Settings) -> None:
    settings.SEEDER = {"MAX_FAILURES": 1}
    create_view()
    create_view("b")
    add_check("row_count", arguments={"min": 1001})
    assert {name: one.outcome for name, one in refresh().items()} == {"a": Outcome.HELD, "b": Outcome.CREATED}
    assert not CircuitBreaker.objects.filter(failures__gt=0).exists()


def test_held_view_does_not_reset_failures_in_a_row() -> None:
    create_view()
    add_check("row_count", arguments={"min": 1001})
    CircuitBreaker.objects.create(database_alias="default", failures=1, causes={"reporting.b": "lost_connection"})
    assert refresh()["a"].outcome is Outcome.HELD
    assert CircuitBreaker.objects.get().failures == 1


def test_held_trial_closes_the_breaker() -> None:
    create_view()
    add_check("row_count", arguments={"min": 1001})
    opened_at = timezone.now() - timedelta(hours=1)
    CircuitBreaker.objects.create(database_alias="default", failures=5, opened_at=opened_at, causes={})
    assert refresh()["a"].outcome is Outcome.HELD
    assert CircuitBreaker.objects.get().opened_at is None


def test_dependent_view_reports_that_it_reads_a_held_view(settings: Settings) -> None:
    create_view()
    create_view("b", "SELECT * FROM reporting.a")
    refresh()
    add_check("row_count", arguments={"min": 1001})
    result = refresh()["b"]
    note = "It reads reporting.a, which its data checks held in this run: data from there is not new."
    assert (result.outcome, result.notes) == (Outcome.REFRESHED, (note,))
    settings.SEEDER = {"HOLD_DEPENDENTS": True}
    result = refresh()["b"]
    assert result.failure is not None
    assert (result.outcome, result.failure.reason, result.attempts) == (Outcome.HELD, "held_dependency", 0)


def test_dependent_view_reports_that_an_earlier_run_held_its_input() -> None:
    create_view()
    create_view("b", "SELECT * FROM reporting.a")
    refresh()
    as_of = ViewState.objects.get(view_name="a").data_as_of
    add_check("row_count", arguments={"min": 1001})
    assert refresh_only("a").outcome is Outcome.HELD
    note = (
        f"It reads reporting.a, which was held when it was last refreshed: data from there is as of {as_of:%F %T %Z}."
    )
    result = refresh_only("b")
    assert (result.outcome, result.notes) == (Outcome.REFRESHED, (note,))
    assert RunMetrics.objects.get(history__run_id=RunHistory.objects.latest("id").run_id).notes == note
    DataCheck.objects.update(enabled=False)
    assert refresh_only("a").outcome is Outcome.REFRESHED
    assert refresh_only("b").notes == ()


def test_held_inputs_take_one_statement_of_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    create_view()
    for name in ("b", "c"):
        create_view(name, "SELECT * FROM reporting.a")
    refresh()
    CustomReportManifest.objects.filter(table_name="reporting.a").update(enabled=False)
    sent: list[str] = []
    original = sessions.query

    def observe(database: str, statement: Any, *arguments: Any, **options: Any) -> Any:
        sent.append(str(statement))
        return original(database, statement, *arguments, **options)

    monkeypatch.setattr(sessions, "query", observe)
    assert len(refresh()) == 2
    assert sent.count(STATEMENTS["held_views"]) == 1


def test_views_without_checks_cost_no_round_trip(monkeypatch: pytest.MonkeyPatch) -> None:
    create_view()
    refresh()
    sent: list[str] = []
    original = sessions.query_batch

    def observe(database: str, statements: Any, *args: Any) -> Any:
        sent.extend(map(str, statements))
        return original(database, statements, *args)

    monkeypatch.setattr(sessions, "query_batch", observe)
    refresh()
    assert not any("seeder_data_checks" in one for one in sent)


def test_missing_tables_leave_views_unchecked_and_say_so() -> None:
    create_view()
    sql("DROP TABLE reporting.seeder_check, reporting.seeder_check_result, reporting.seeder_check_waiver")
    assert refresh()["a"].outcome is Outcome.CREATED


def test_results_are_optional() -> None:
    create_view()
    sql("DROP TABLE reporting.seeder_check_result")
    add_check("row_count", arguments={"min": 1001})
    assert refresh()["a"].outcome is Outcome.HELD


def test_no_bad_rows_are_kept_if_none_are_wanted(settings: Settings) -> None:
    settings.SEEDER = {"CHECK_SAMPLES": 0}
    create_view()
    sql("UPDATE reporting.source SET id = 1")
    add_check("unique", arguments={"columns": ["id"]})
    add_check("range", arguments={"column": "amount", "max": 0})
    add_check("query", arguments={"query": "SELECT 1"})
    assert [one.samples for one in refresh()["a"].checks] == [(), (), ()]


def test_bad_rows_and_messages_are_masked_in_documents() -> None:
    create_view()
    sql("UPDATE reporting.source SET status = 'secret' WHERE id = 1")
    add_check("accepted_values", arguments={"column": "status", "values": ["open", "done"]})
    add_check("condition", arguments={"expression": "status::integer > 0"})
    refresh()
    rows = list(DataCheck.objects.order_by("check_name"))
    visible, masked = (
        [check_document(one)["lastResult"] for one in list_checks(rows, can_see_data=can_see)]
        for can_see in (True, False)
    )
    assert "secret" in visible[0]["samples"][0]
    assert str(visible[1]["message"]).startswith("invalid input syntax for type integer: ")
    assert "secret" not in str(masked)
    assert [(one["samples"], one["message"]) for one in masked] == [([], None), ([], None)]
    assert masked[0]["figures"] == {"rows": 1000, "badRows": 1, "tolerated": 0}


def test_lock_timeout_of_a_check_is_retried_and_not_held(settings: Settings) -> None:
    settings.SEEDER = {"MAX_RETRIES": 0, "LOCK_TIMEOUT_MS": 1100}
    create_view()
    sql("CREATE TABLE reporting.locked AS SELECT 1 AS n")
    add_check("query", arguments={"query": "SELECT n FROM reporting.locked WHERE false"})
    with another_session() as session:
        session.execute("BEGIN; LOCK TABLE reporting.locked")
        result = refresh()["a"]
    assert result.failure is not None
    assert (result.outcome, result.failure.sqlstate) == (Outcome.FAILED, "55P03")
    assert connection.is_usable()


def test_check_that_cannot_be_read_holds_its_view() -> None:
    create_view()
    add_check("range", arguments={"column": "amount"})
    [result] = refresh()["a"].checks
    assert (result.outcome, result.message) == (CheckOutcome.COULD_NOT_RUN, "range needs min or max")
