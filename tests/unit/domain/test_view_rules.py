"""What is wrong with a view, by what the catalog says of it."""

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

US = DatabaseRole(database_alias="default", database_name="reports", role_name="seeder", server_major=17)
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
PLAIN = ConcurrencySettings(is_enabled=False, allows_fallback=True)
FIRST = ConcurrencySettings(is_enabled=True, allows_fallback=True)
ALWAYS = ConcurrencySettings(is_enabled=True, allows_fallback=False)


def test_a_good_view_is_good_however_it_is_refreshed() -> None:
    for concurrency in (PLAIN, FIRST, ALWAYS):
        assert list(check_view(GOOD, US, concurrency)) == []


@pytest.mark.parametrize(
    ("concurrency", "word"),
    [(PLAIN, "concurrent_unready"), (FIRST, "concurrent_falls_back"), (ALWAYS, "concurrent_refused")],
)
def test_a_missing_index_matters_as_much_as_the_settings_say(concurrency: ConcurrencySettings, word: str) -> None:
    [found] = check_view(replace(GOOD, has_unique_index=False), US, concurrency)
    assert found.problem == word
    assert found.sql == "", "nobody guesses a key"


def test_temporary_tables_are_wanted_by_a_concurrent_refresh_alone() -> None:
    without = replace(GOOD, owner_can_create_temp=False)
    assert list(check_view(without, US, PLAIN)) == []
    [found] = check_view(without, US, FIRST)
    assert found.sql == 'GRANT TEMPORARY ON DATABASE reports TO "The owner";'
    [found] = check_view(replace(without, has_unique_index=False), US, FIRST)
    assert found.problem == "concurrent_falls_back", "what falls back needs none"


@pytest.mark.parametrize(
    ("major", "differently", "sql"),
    [
        (18, {}, 'GRANT MAINTAIN ON reporting."Select" TO seeder;'),
        (17, {"owner_is_superuser": True}, 'GRANT MAINTAIN ON reporting."Select" TO seeder;'),
        (16, {}, 'GRANT "The owner" TO seeder;'),
        (16, {"owner_is_superuser": True}, 'ALTER MATERIALIZED VIEW reporting."Select" OWNER TO seeder;'),
    ],
)
def test_nobody_is_made_a_member_of_a_superuser(major: int, differently: dict[str, Any], sql: str) -> None:
    other = replace(GOOD, can_refresh=False, **differently)
    [found] = check_view(other, replace(US, server_major=major), PLAIN)
    assert (found.problem, found.sql) == ("view_forbidden", sql)


@pytest.mark.parametrize("kind", ["r", "p", "v", "f", "S", "i", "?"])
def test_what_is_no_materialized_view_is_nothing_else_either(kind: str) -> None:
    [found] = check_view(replace(GOOD, relkind=kind, is_populated=False, can_refresh=False), US, ALWAYS)
    assert found.problem == "not_materialized_view"


def test_what_a_reindex_has_left_over_is_dropped_and_anything_else_built_again() -> None:
    assert diagnose_invalid_index("a", "x.i", US, is_leftover=True).sql == "DROP INDEX CONCURRENTLY x.i;"
    assert diagnose_invalid_index("a", "x.i", US, is_leftover=False).sql == "REINDEX INDEX CONCURRENTLY x.i;"


@pytest.mark.parametrize("exists", [True, False])
def test_a_schema_that_is_not_there_or_closed_names_the_views_that_miss_it(*, exists: bool) -> None:
    views = [ViewName(schema="x", name=name) for name in "abcdefg"]
    schema = ManifestSchema(name="x", quoted_name="x", exists=exists, can_use=exists, can_create=False)
    [found] = check_schema(schema, US, missing_views=views)
    assert found.message.endswith(": x.a, x.b, x.c, x.d, x.e and 2 more.")
    [found] = check_schema(schema, US, missing_views=views[:1])
    assert found.message.endswith(": x.a.")


def test_a_unique_index_that_was_not_finished_can_make_a_refresh_fail_and_may_have_to_go() -> None:
    found = diagnose_invalid_index("a", "x.i", US, is_leftover=False)
    assert "fails if it is unique" in found.message
    assert "drop it instead" in found.fix
