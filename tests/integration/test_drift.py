"""Manifests whose query is not what their view was created from: told, and left as they are."""

from collections.abc import Callable

import pytest

from seeder.domain.requests import Everything
from seeder.models import CustomReportManifest, JobStatus, RunHistory
from seeder.services import runs
from tests.conftest import Ended, canned, custom, sql

pytestmark = pytest.mark.usefixtures("reporting")


def drift() -> dict[str, list[str | None]]:
    return {
        view.key.name.name: [drift.cause for drift in view.drift]
        for view in runs.preview(Everything()).views
        if view.drift
    }


def made(query: str) -> None:
    """A view and its manifest."""
    sql("CREATE TABLE reporting.source AS SELECT 1 AS n, 2 AS m")
    custom("reporting.a", query)
    assert runs.execute(Everything()).failed == 0


def edited(query: str) -> None:
    CustomReportManifest.objects.update(query=query)


@pytest.mark.parametrize(
    "query",
    [
        "SELECT n, m FROM reporting.source WHERE n > 0",
        "select  N,m from reporting . source where (n>0) -- as before\n;",
        "SELECT * FROM reporting.source WHERE n > 0",
        "SELECT n, m FROM reporting.source WHERE n > 0 WITH DATA",
    ],
)
def test_the_same_query_in_other_words_is_no_drift(query: str) -> None:
    made("SELECT n, m FROM reporting.source WHERE n > 0")
    edited(query)
    assert drift() == {}


@pytest.mark.parametrize(
    "query",
    [
        "SELECT n, m FROM reporting.source WHERE n > 1",
        "SELECT n, m AS o FROM reporting.source WHERE n > 0",
        "SELECT n FROM reporting.source WHERE n > 0",
        "SELECT n, m FROM reporting.source WHERE n > 0 -- 100 %s {} \n AND true",
    ],
)
def test_another_query_is_drift(query: str) -> None:
    made("SELECT n, m FROM reporting.source WHERE n > 0")
    edited(query)
    assert drift() == {"a": [None]}


def test_a_query_that_cannot_be_a_view_any_more_says_why() -> None:
    made("SELECT n FROM reporting.source")
    sql("ALTER TABLE reporting.source RENAME n TO number")
    assert drift() == {"a": ['column "n" does not exist']}


def test_drift_stands_in_the_plan_the_result_and_the_status_and_the_view_is_as_it_was(
    manage: Callable[..., Ended],
) -> None:
    made("SELECT n FROM reporting.source")
    [(oid,)] = sql("SELECT 'reporting.a'::regclass::oid")
    edited("SELECT m AS n FROM reporting.source")
    [planned] = manage("refresh_all", "--dry-run", "--json").document["views"]
    assert [one["agencySlug"] for one in planned["drift"]] == ["demo"]
    assert "Definition drift: custom manifest 1 of demo asks for" in manage("refresh_all", "--dry-run").out
    ended = manage("refresh_all")
    assert ended.code == 0
    assert any(line.startswith("reporting.a: Definition drift: ") for line in ended.lines)
    for errors in (JobStatus.objects.get().last_errors, RunHistory.objects.latest("id").errors):
        assert errors
        assert errors.startswith("Definition drift: custom manifest 1 of demo asks for another query")
    assert JobStatus.objects.get().consecutive_failures == 0
    assert sql("SELECT 'reporting.a'::regclass::oid, n FROM reporting.a") == [(oid, 1)]


def test_of_two_manifests_with_two_queries_the_one_that_is_not_heeded_drifts() -> None:
    custom("reporting.shared", "SELECT 1 AS n")
    canned("reporting.shared", "SELECT 2 AS n", agencies=("metro", "harbor"))
    for _ in range(2):  # before the view is there, and after
        [view] = runs.preview(Everything()).views
        assert [one.manifest.agency_slug for one in view.drift] == ["metro", "harbor"]
        runs.execute(Everything())


def test_what_cannot_be_found_out_is_not_said() -> None:
    made("SELECT n FROM reporting.source")
    edited("SELECT m FROM reporting.source")
    sql("CREATE ROLE nobody_s")
    try:
        sql("GRANT USAGE ON SCHEMA reporting TO nobody_s")
        sql("GRANT SELECT ON ALL TABLES IN SCHEMA reporting TO nobody_s")
        sql("REVOKE SELECT ON reporting.source FROM nobody_s")
        sql("REVOKE TEMPORARY ON DATABASE " + sql("SELECT quote_ident(current_database())")[0][0] + " FROM PUBLIC")
        sql("SET ROLE nobody_s")
        assert drift() == {}
    finally:
        sql("RESET ROLE")
        sql("GRANT TEMPORARY ON DATABASE " + sql("SELECT quote_ident(current_database())")[0][0] + " TO PUBLIC")
        sql("DROP OWNED BY nobody_s")
        sql("DROP ROLE nobody_s")


def test_looking_for_drift_leaves_nothing_behind() -> None:
    made("SELECT n FROM reporting.source")
    edited("SELECT m FROM reporting.source; CREATE TABLE reporting.left_behind ()")
    before = sql("SELECT count(*) FROM pg_class")
    assert list(drift()) == ["a"]
    assert sql("SELECT count(*) FROM pg_class") == before
