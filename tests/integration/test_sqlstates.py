"""The meaning of SQLSTATEs. The server raises each of them itself."""

import pytest
from django.db import Error

from seeder.errors import (
    PermissionMissing,
    SchemaMissing,
    SeederError,
    ServerFault,
    ServerOutOfMemory,
    ServerUnreachable,
)
from seeder.postgres.sqlstates import is_transient, translate_database_errors
from seeder.services.run.failure_description import describe_failure
from tests.conftest import sql
from tests.unit.domain.plan_values import view_key

pytestmark = pytest.mark.usefixtures("bare_database")


def raise_sqlstate(state: str) -> None:
    sql(f"DO $$ BEGIN RAISE EXCEPTION 'so it is' USING ERRCODE = '{state}', HINT = 'Look.'; END $$")


@pytest.mark.parametrize(
    ("state", "error_class"),
    [
        ("57P01", ServerFault),  # of another server, because the session still answers
        ("08006", ServerFault),
        ("57014", ServerFault),
        ("53100", ServerFault),
        ("53200", ServerOutOfMemory),
        ("55P03", ServerFault),
        ("40P01", ServerFault),
        ("25P02", ServerFault),
        ("42P01", SchemaMissing),
        ("42703", SchemaMissing),
        ("3F000", SchemaMissing),
        ("42501", PermissionMissing),
    ],
)
def test_sqlstate_is_translated_to_an_expected_error(state: str, error_class: type[SeederError]) -> None:
    with pytest.raises(error_class, match="so it is"), translate_database_errors("default"):
        raise_sqlstate(state)


def test_terminated_session_is_translated_to_an_unreachable_server() -> None:
    with pytest.raises(ServerUnreachable), translate_database_errors("default"):
        sql("SELECT pg_terminate_backend(pg_backend_pid())")


def test_unexpected_sqlstate_is_raised_unchanged() -> None:
    with pytest.raises(Error, match="so it is"), translate_database_errors("default"):
        raise_sqlstate("22012")


@pytest.mark.parametrize(
    ("state", "reason"),
    [("22012", "division_by_zero"), ("42601", "syntax_error"), ("57014", "query_canceled"), ("ZZ999", "ZZ999")],
)
def test_failure_has_the_condition_name_and_message(state: str, reason: str) -> None:
    with pytest.raises(Error) as caught:
        raise_sqlstate(state)
    failure = describe_failure(caught.value, view_key("a"), refreshes_plainly=True)
    assert (failure.reason, failure.sqlstate) == (reason, state)
    assert failure.message.startswith("so it is\nHINT:  Look.")


@pytest.mark.parametrize("state", ["55P03", "40P01", "40001"])
def test_sqlstate_unrelated_to_the_statement_is_transient(state: str) -> None:
    with pytest.raises(Error) as caught:
        raise_sqlstate(state)
    assert is_transient(caught.value)


@pytest.mark.parametrize(
    "state",
    ["22012", "42601", "42P01", "42501", "57014", "53100", "57P01", "57P03", "57P05", "25P03", "53300", "08006"],
)
def test_sqlstate_caused_by_the_statement_is_not_transient(state: str) -> None:
    with pytest.raises(Error) as caught:
        raise_sqlstate(state)
    assert not is_transient(caught.value)
