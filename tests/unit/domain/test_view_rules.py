"""Problems of a view, by its facts in the catalog."""

from dataclasses import replace
from typing import Any

import pytest

from seeder.domain.doctor.view_rules import (
    ConcurrencySettings,
    DatabaseRole,
    FoundRelation,
    ManifestSchema,
    check_schema,
    check_view,
    diagnose_invalid_index,
)
from seeder.domain.view_names import ViewName

ROLE = DatabaseRole(database_alias="default", database_name="reports", role_name="seeder", server_major=17)
GOOD = FoundRelation(
    view=ViewName(schema="reporting", name="Select"),
    quoted_name='reporting."Select"',
    relkind="m",
    is_populated=True,
    owner='"The owner"',
    owner_is_superuser=False,
    can_refresh=True,
    owner_can_create_temp=True,
    has_unique_index=True,
)
NOT_CONCURRENT = ConcurrencySettings(is_enabled=False, allows_fallback=True)
WITH_FALLBACK = ConcurrencySettings(is_enabled=True, allows_fallback=True)
WITHOUT_FALLBACK = ConcurrencySettings(is_enabled=True, allows_fallback=False)


def test_good_view_has_no_problem_in_any_mode() -> None:
    for concurrency in (NOT_CONCURRENT, WITH_FALLBACK, WITHOUT_FALLBACK):
        assert list(check_view(GOOD, ROLE, concurrency)) == []


@pytest.mark.parametrize(
    ("concurrency", "problem"),
    [
        (NOT_CONCURRENT, "concurrent_unready"),
        (WITH_FALLBACK, "concurrent_falls_back"),
        (WITHOUT_FALLBACK, "concurrent_refused"),
    ],
)
def test_missing_index_is_reported_by_the_concurrency_settings(concurrency: ConcurrencySettings, problem: str) -> None:
    [found] = check_view(replace(GOOD, has_unique_index=False), ROLE, concurrency)
    assert found.problem == problem
    assert found.sql == "", "a key cannot be guessed"


def test_only_a_concurrent_refresh_needs_temporary_tables() -> None:
    without = replace(GOOD, owner_can_create_temp=False)
    assert list(check_view(without, ROLE, NOT_CONCURRENT)) == []
    [found] = check_view(without, ROLE, WITH_FALLBACK)
    assert found.sql == 'GRANT TEMPORARY ON DATABASE reports TO "The owner";'
    [found] = check_view(replace(without, has_unique_index=False), ROLE, WITH_FALLBACK)
    assert found.problem == "concurrent_falls_back", "a refresh that falls back needs none"


@pytest.mark.parametrize(
    ("major", "changes", "sql"),
    [
        (18, {}, 'GRANT MAINTAIN ON reporting."Select" TO seeder;'),
        (17, {"owner_is_superuser": True}, 'GRANT MAINTAIN ON reporting."Select" TO seeder;'),
        (16, {}, 'GRANT "The owner" TO seeder;'),
        (16, {"owner_is_superuser": True}, 'ALTER MATERIALIZED VIEW reporting."Select" OWNER TO seeder;'),
    ],
)
def test_membership_in_a_superuser_is_never_suggested(major: int, changes: dict[str, Any], sql: str) -> None:
    other = replace(GOOD, can_refresh=False, **changes)
    [found] = check_view(other, replace(ROLE, server_major=major), NOT_CONCURRENT)
    assert (found.problem, found.sql) == ("view_forbidden", sql)


@pytest.mark.parametrize("kind", ["r", "p", "v", "f", "S", "i", "?"])
def test_other_relation_has_only_the_problem_of_its_kind(kind: str) -> None:
    [found] = check_view(replace(GOOD, relkind=kind, is_populated=False, can_refresh=False), ROLE, WITHOUT_FALLBACK)
    assert found.problem == "not_materialized_view"


def test_leftover_index_is_dropped_and_other_invalid_index_rebuilt() -> None:
    assert diagnose_invalid_index("a", "x.i", ROLE, is_leftover=True).sql == "DROP INDEX CONCURRENTLY x.i;"
    assert diagnose_invalid_index("a", "x.i", ROLE, is_leftover=False).sql == "REINDEX INDEX CONCURRENTLY x.i;"


@pytest.mark.parametrize("exists", [True, False])
def test_unusable_schema_names_its_missing_views(*, exists: bool) -> None:
    views = [ViewName(schema="x", name=name) for name in "abcdefg"]
    schema = ManifestSchema(name="x", quoted_name="x", exists=exists, can_use=exists, can_create=False)
    [found] = check_schema(schema, ROLE, missing_views=views)
    assert found.message.endswith(": x.a, x.b, x.c, x.d, x.e and 2 more.")
    [found] = check_schema(schema, ROLE, missing_views=views[:1])
    assert found.message.endswith(": x.a.")


def test_fix_for_an_invalid_index_mentions_unique_indexes() -> None:
    found = diagnose_invalid_index("a", "x.i", ROLE, is_leftover=False)
    assert "fails if it is unique" in found.message
    assert "drop it instead" in found.fix
