"""SQL of data checks that writes, ends the transaction, takes long or is wrong changes nothing and hides no check."""

import pytest
from pytest_django import Settings

from seeder.domain.data_checks.results import CheckOutcome
from seeder.domain.outcomes import Outcome
from tests.conftest import sql
from tests.integration.data_checks.checked_view import add_check, create_view, outcomes, refresh

QUERIES = {
    "writes": ("WITH x AS (INSERT INTO reporting.victim VALUES (1) RETURNING i) SELECT i FROM x", "0A000"),
    "second_statement": ("SELECT 1 WHERE false; COMMIT; INSERT INTO reporting.victim VALUES (2); SELECT 1", "42601"),
    "closed_parenthesis": ("SELECT 1) AS found) SELECT 0, NULL; COMMIT; --", "42601"),
    "typo": ("SELECT nope FROM reporting.a", "42703"),
    "slow": ("SELECT 1 FROM pg_sleep(5)", "57014"),
    "cancels_itself": ("SELECT 1 FROM pg_cancel_backend(pg_backend_pid()), pg_sleep(5)", "57014"),
    "writes_by_function": ("SELECT nextval('reporting.numbers')", "25006"),
    "sets_read_write": ("SELECT set_config('transaction_read_only', 'off', true)", "25001"),
    "divides_by_zero": ("SELECT 1 / (id - id) FROM reporting.a", "22012"),
}
CONDITIONS = {
    "typo_in_condition": "nope > 1",
    "no_condition": "amount",
    "divides": "1 / (id - id) > 0",
    "two_columns": "true)), count(*) FILTER (WHERE (false",
    "other_statement": "true)) FROM reporting.a; COMMIT; --",
}


@pytest.fixture(autouse=True)
def _view(contract_tables: None, settings: Settings) -> None:
    settings.SEEDER = {"CHECK_TIMEOUT_MS": 300}
    create_view()
    sql("CREATE TABLE reporting.victim (i integer)")
    sql("CREATE SEQUENCE reporting.numbers")
    refresh()


@pytest.mark.parametrize("name", QUERIES)
def test_query_that_cannot_run_holds_the_view(name: str) -> None:
    query, state = QUERIES[name]
    add_check("row_count", arguments={"min": 1})
    add_check("query", name=name, arguments={"query": query})
    add_check("condition", arguments={"expression": "id > 0"})
    result = refresh()["a"]
    assert result.outcome is Outcome.HELD
    assert outcomes(result) == {"row_count": "passed", name: "could_not_run", "condition": "passed"}
    assert result.checks[1].sqlstate == state
    assert sql("SELECT count(*) FROM reporting.victim") == [(0,)]


@pytest.mark.parametrize("name", QUERIES)
def test_query_of_a_warning_leaves_the_transaction_writable(name: str) -> None:
    sql("UPDATE reporting.source SET amount = 2")
    add_check("query", name=name, severity="warn", arguments={"query": QUERIES[name][0]})
    result = refresh()["a"]
    assert (result.outcome, outcomes(result)) == (Outcome.REFRESHED, {name: "could_not_run"})
    assert sql("SELECT DISTINCT amount FROM reporting.a") == [(2,)]
    assert sql("SELECT count(*) FROM reporting.victim") == [(0,)]


@pytest.mark.parametrize("name", CONDITIONS)
def test_bad_condition_does_not_hide_other_checks(name: str) -> None:
    add_check("not_null", arguments={"column": "id"})
    add_check("condition", name=name, arguments={"expression": CONDITIONS[name]})
    add_check("range", arguments={"column": "amount", "max": 1})
    result = refresh()["a"]
    assert outcomes(result) == {"not_null": "passed", name: "could_not_run", "range": "failed"}
    assert result.outcome is Outcome.HELD


def test_notification_and_unlocking_do_not_leave_the_check() -> None:
    add_check("query", arguments={"query": "SELECT pg_advisory_unlock_all() WHERE false"})
    add_check("query", name="notify", arguments={"query": "SELECT pg_notify('x', 'y') WHERE false"})
    assert set(outcomes(refresh()["a"]).values()) == {"passed"}


def test_unknown_column_is_the_fault_of_its_check_only() -> None:
    add_check("not_null", arguments={"column": "nope"})
    add_check("not_null", name="id", arguments={"column": "id"})
    result = refresh()["a"]
    assert outcomes(result) == {"not_null": "could_not_run", "id": "passed"}
    assert result.checks[0].outcome is CheckOutcome.COULD_NOT_RUN
