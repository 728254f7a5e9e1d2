"""What errors of the database mean to us. The server raises each SQLSTATE itself."""

import pytest
from django.db import Error

from seeder.errors import PermissionMissing, SchemaMissing, SeederError, ServerFault, ServerUnreachable
from seeder.postgres.sqlstates import is_transient, to_failure, translate_database_errors
from tests.conftest import sql

pytestmark = pytest.mark.usefixtures("bare_database")


def raised(state: str) -> None:
    sql(f"DO $$ BEGIN RAISE EXCEPTION 'so it is' USING ERRCODE = '{state}', HINT = 'Look.'; END $$")


@pytest.mark.parametrize(
    ("state", "meaning"),
    [
        ("57P01", ServerUnreachable),
        ("57P02", ServerUnreachable),
        ("57P03", ServerUnreachable),
        ("57014", ServerFault),
        ("53100", ServerFault),
        ("55P03", ServerFault),
        ("40P01", ServerFault),
        ("25P02", ServerFault),
        ("42P01", SchemaMissing),
        ("42703", SchemaMissing),
        ("3F000", SchemaMissing),
        ("42501", PermissionMissing),
    ],
)
def test_what_somebody_can_put_right_is_said_in_plain_words(state: str, meaning: type[SeederError]) -> None:
    with pytest.raises(meaning, match="so it is"), translate_database_errors("default"):
        raised(state)


def test_what_nobody_foresaw_passes_as_it_is() -> None:
    with pytest.raises(Error, match="so it is"), translate_database_errors("default"):
        raised("22012")


@pytest.mark.parametrize(
    ("state", "reason"),
    [("22012", "division_by_zero"), ("42601", "syntax_error"), ("57014", "query_canceled"), ("ZZ999", "ZZ999")],
)
def test_a_failure_has_postgresql_s_name_for_it_and_its_own_words(state: str, reason: str) -> None:
    with pytest.raises(Error) as caught:
        raised(state)
    told = to_failure(caught.value)
    assert (told.reason, told.sqlstate) == (reason, state)
    assert told.message.startswith("so it is\nHINT:  Look.")


@pytest.mark.parametrize("state", ["55P03", "40P01", "40001", "57P03", "57P05", "25P03", "53300", "08006"])
def test_sqlstate_unrelated_to_the_statement_is_transient(state: str) -> None:
    with pytest.raises(Error) as caught:
        raised(state)
    assert is_transient(caught.value)


@pytest.mark.parametrize("state", ["22012", "42601", "42P01", "42501", "57014", "53100"])
def test_sqlstate_caused_by_the_statement_is_not_transient(state: str) -> None:
    with pytest.raises(Error) as caught:
        raised(state)
    assert not is_transient(caught.value)
