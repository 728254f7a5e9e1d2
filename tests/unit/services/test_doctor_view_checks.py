"""Checks of views and schemas, from facts of the catalog."""

from typing import Any

import pytest

from seeder.domain.view_names import ViewName
from seeder.postgres import doctor_queries
from seeder.postgres.doctor_queries import FoundRelation, FoundSchema
from seeder.services.doctor.check_types import Diagnosis
from seeder.services.doctor.checks import invalid_indexes, schema_privileges, view_state
from tests.unit.services.doctor_values import GOOD_SERVER, checked_database

GOOD_VIEW = FoundRelation(
    view=ViewName(schema="reporting", name="Select"),
    oid=1,
    quoted_name='reporting."Select"',
    relkind="m",
    is_populated=True,
    owner='"The owner"',
    owner_is_superuser=False,
    can_refresh=True,
    owner_can_create_temp=True,
    has_unique_index=True,
)
PLAIN = {"refresh_concurrently": False}
FALLBACK = {"refresh_concurrently": True, "concurrent_fallback": True}
NO_FALLBACK = {"refresh_concurrently": True, "concurrent_fallback": False}


@pytest.fixture(autouse=True)
def _readable_sources(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor_queries, "read", lambda *_, **__: [])


def found(settings: dict[str, Any], *, major: int = 17, **facts: Any) -> list[Diagnosis]:
    server = GOOD_SERVER._replace(version_num=major * 10000, role="seeder")
    return list(view_state.check(checked_database(server, relations=[GOOD_VIEW._replace(**facts)], **settings)))


def test_good_view_has_no_problem_with_any_setting() -> None:
    for settings in (PLAIN, FALLBACK, NO_FALLBACK):
        assert found(settings) == []


@pytest.mark.parametrize(
    ("settings", "problem"),
    [(PLAIN, "concurrent_unready"), (FALLBACK, "concurrent_falls_back"), (NO_FALLBACK, "concurrent_refused")],
)
def test_missing_unique_index_has_the_level_of_the_settings(settings: dict[str, Any], problem: str) -> None:
    [diagnosis] = found(settings, has_unique_index=False)
    assert diagnosis.problem.name == problem
    assert diagnosis.sql == "", "a key is never guessed"


def test_temporary_tables_are_needed_only_for_concurrent_refreshes() -> None:
    assert found(PLAIN, owner_can_create_temp=False) == []
    [diagnosis] = found(FALLBACK, owner_can_create_temp=False)
    assert diagnosis.sql == 'GRANT TEMPORARY ON DATABASE reports TO "The owner";'
    [diagnosis] = found(FALLBACK, owner_can_create_temp=False, has_unique_index=False)
    assert diagnosis.problem.name == "concurrent_falls_back", "a plain refresh needs none"


@pytest.mark.parametrize(
    ("major", "facts", "sql"),
    [
        (18, {}, 'GRANT MAINTAIN ON reporting."Select" TO seeder;'),
        (17, {"owner_is_superuser": True}, 'GRANT MAINTAIN ON reporting."Select" TO seeder;'),
        (16, {}, 'GRANT "The owner" TO seeder;'),
        (16, {"owner_is_superuser": True}, 'ALTER MATERIALIZED VIEW reporting."Select" OWNER TO seeder;'),
    ],
)
def test_fix_never_grants_membership_in_a_superuser(major: int, facts: dict[str, Any], sql: str) -> None:
    [diagnosis] = found(PLAIN, major=major, can_refresh=False, **facts)
    assert (diagnosis.problem.name, diagnosis.sql) == ("view_forbidden", sql)


@pytest.mark.parametrize("kind", ["r", "p", "v", "f", "S", "i", "?"])
def test_other_kind_of_relation_has_no_further_problem(kind: str) -> None:
    [diagnosis] = found(NO_FALLBACK, relkind=kind, is_populated=False, can_refresh=False)
    assert diagnosis.problem.name == "not_materialized_view"


@pytest.fixture
def invalid_index(monkeypatch: pytest.MonkeyPatch) -> Any:
    def check(*, is_leftover: bool) -> Diagnosis:
        monkeypatch.setattr(doctor_queries, "read", lambda *_, **__: [("reporting.a", "x.i", is_leftover)])
        [diagnosis] = invalid_indexes.check(checked_database())
        return diagnosis

    return check


def test_leftover_index_is_dropped_and_another_one_is_rebuilt(invalid_index: Any) -> None:
    assert invalid_index(is_leftover=True).sql == "DROP INDEX CONCURRENTLY x.i;"
    assert invalid_index(is_leftover=False).sql == "REINDEX INDEX CONCURRENTLY x.i;"


def test_incomplete_index_explains_failure_and_when_to_drop(invalid_index: Any) -> None:
    problem = invalid_index(is_leftover=False).problem
    assert "if it is unique" in problem.meaning
    assert "drop it instead" in problem.fix


@pytest.mark.parametrize("exists", [True, False])
def test_missing_or_forbidden_schema_lists_its_missing_views(*, exists: bool) -> None:
    views = [ViewName(schema="x", name=name) for name in "abcdefg"]
    schema = FoundSchema(name="x", quoted_name="x", exists=exists, can_use=exists, can_create=False)
    [diagnosis] = schema_privileges.check(checked_database(schemas=[schema], missing=views))
    assert diagnosis.message.endswith(": x.a, x.b, x.c, x.d, x.e and 2 more views.")
    [diagnosis] = schema_privileges.check(checked_database(schemas=[schema], missing=views[:1]))
    assert diagnosis.message.endswith(": x.a.")
