"""Manifests whose query is not what their view was created from: told, and left as they are."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from seeder.domain.refresh_requests import AllReports
from seeder.domain.view_names import ViewName
from seeder.models import CustomReportManifest, JobStatus, RunHistory, ViewDefinition
from seeder.postgres import catalog
from seeder.services import definition_cache
from seeder.services.run import orchestrator
from tests.conftest import CompletedCommand, another_session, create_canned_report, create_custom_manifest, sql

pytestmark = pytest.mark.usefixtures("contract_tables")


A = ViewName(schema="reporting", name="a")


def drift() -> dict[str, list[str | None]]:
    return {
        view.key.name.name: [drift.cause for drift in view.definition_drift]
        for view in orchestrator.preview(AllReports()).views
        if view.definition_drift
    }


def made(query: str) -> None:
    """A view and its manifest."""
    sql("CREATE TABLE reporting.source AS SELECT 1 AS n, 2 AS m")
    create_custom_manifest("reporting.a", query)
    assert orchestrator.execute_run(AllReports()).failed == 0


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
    manage: Callable[..., CompletedCommand],
) -> None:
    made("SELECT n FROM reporting.source")
    [(oid,)] = sql("SELECT 'reporting.a'::regclass::oid")
    edited("SELECT m AS n FROM reporting.source")
    [planned] = manage("refresh_all", "--dry-run", "--json").document["views"]
    assert [one["agencySlug"] for one in planned["definitionDrift"]] == ["demo"]
    assert "Definition drift: the query of custom manifest 1 of demo" in manage("refresh_all", "--dry-run").out
    ended = manage("refresh_all")
    assert ended.exit_code == 0
    assert any(line.startswith("reporting.a: Definition drift: ") for line in ended.lines)
    for errors in (JobStatus.objects.get().last_errors, RunHistory.objects.latest("id").errors):
        assert errors
        assert errors.startswith("Definition drift: the query of custom manifest 1 of demo is not")
    assert JobStatus.objects.get().consecutive_failures == 0
    assert sql("SELECT 'reporting.a'::regclass::oid, n FROM reporting.a") == [(oid, 1)]


def test_of_two_manifests_with_two_queries_the_one_that_is_not_heeded_drifts() -> None:
    create_custom_manifest("reporting.shared", "SELECT 1 AS n")
    create_canned_report("reporting.shared", "SELECT 2 AS n", agencies=("metro", "harbor"))
    for _ in range(2):  # before the view is there, and after
        [view] = orchestrator.preview(AllReports()).views
        assert [one.manifest.agency_slug for one in view.definition_drift] == ["metro", "harbor"]
        orchestrator.execute_run(AllReports())


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


def test_what_was_compared_once_is_not_compared_again() -> None:
    made("SELECT n FROM reporting.source")
    orchestrator.execute_run(AllReports())
    [(oid,)] = sql("SELECT view_oid FROM reporting.seeder_view_definition")
    assert [(oid,)] == sql("SELECT 'reporting.a'::regclass::oid::bigint")
    assert catalog.survey(
        "default",
        {A: ["SELECT n FROM reporting.source"]},
        known_definitions=definition_cache.load_definitions("default"),
    ) == (replace(catalog.survey("default", {A: ["SELECT n FROM reporting.source"]}), confirmed=set()))


def test_what_is_remembered_of_a_view_does_not_hold_for_its_successor() -> None:
    made("SELECT n FROM reporting.source")
    orchestrator.execute_run(AllReports())
    sql("DROP MATERIALIZED VIEW reporting.a")
    sql("CREATE MATERIALIZED VIEW reporting.a AS SELECT m AS n FROM reporting.source")
    assert drift() == {"a": [None]}


def test_a_dry_run_remembers_nothing() -> None:
    made("SELECT n FROM reporting.source")
    orchestrator.preview(AllReports())
    assert not ViewDefinition.objects.exists()


def test_drift_is_never_remembered_as_none() -> None:
    made("SELECT n FROM reporting.source")
    edited("SELECT m AS n FROM reporting.source")
    for _ in range(2):
        orchestrator.execute_run(AllReports())
        assert drift() == {"a": [None]}
    assert not ViewDefinition.objects.exists()


def test_without_the_table_drift_is_found_all_the_same() -> None:
    sql("DROP TABLE reporting.seeder_view_definition")
    made("SELECT n FROM reporting.source")
    edited("SELECT m AS n FROM reporting.source")
    orchestrator.execute_run(AllReports())
    assert drift() == {"a": [None]}


@pytest.mark.parametrize("batch", [1, 2, 7, 50])
def test_queries_that_are_compared_together_are_told_apart(batch: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalog, "_TRIAL_BATCH_SIZE", batch)
    sql("CREATE TABLE reporting.source AS SELECT 1 AS n; CREATE TABLE reporting.locked AS SELECT 1 AS n")
    asked: dict[ViewName, list[str]] = {}
    for number in range(12):
        sql(f"CREATE MATERIALIZED VIEW reporting.v{number} AS SELECT n FROM reporting.source")
        asked[ViewName(schema="reporting", name=f"v{number}")] = ["SELECT n FROM reporting.source"]
    for number, query in {
        2: "SELECT n FROM reporting.source WHERE n > 1",
        3: "SELECT gone FROM reporting.source",
        7: "SELECT n FROM reporting.locked",
        8: "SELECT n FROM reporting.source; SELECT 1",
        11: "SELEKT",
    }.items():
        asked[ViewName(schema="reporting", name=f"v{number}")] = [query]
    with another_session() as somebody, somebody.transaction():
        somebody.execute("LOCK reporting.locked")
        seen = catalog.survey("default", asked)
    assert {view.name: cause for (view, _), cause in seen.drift.items()} == {
        "v2": None,
        "v3": 'column "gone" does not exist',
        "v8": "cannot insert multiple commands into a prepared statement",
        "v11": 'syntax error at or near "SELEKT"',
    }
    assert len(seen.confirmed) == 12 - 4 - 1  # what waited for the lock is neither
