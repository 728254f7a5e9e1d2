"""Definition drift: a manifest's query differs from the definition of its view, which stays unchanged."""

from collections.abc import Callable, Set
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from seeder.domain.refresh_requests import AllReports, SingleView
from seeder.domain.view_names import ViewName
from seeder.models import CustomReportManifest, JobStatus, RunHistory, RunMetrics, ViewDefinition
from seeder.postgres import view_survey
from seeder.postgres.contract import OptionalTables
from seeder.postgres.view_survey import DefinitionKey
from seeder.services.run import orchestrator, planning
from tests.conftest import CompletedCommand, create_canned_report, create_custom_manifest, sql

pytestmark = pytest.mark.usefixtures("contract_tables")


A = ViewName(schema="reporting", name="a")


def drift_by_view() -> dict[str, list[str | None]]:
    return {
        view.key.name.name: [drift.cause for drift in view.definition_drift]
        for view in orchestrator.preview(AllReports()).views
        if view.definition_drift
    }


def create_view(query: str) -> None:
    """Create a view and its manifest."""
    sql("CREATE TABLE reporting.source AS SELECT 1 AS n, 2 AS m")
    create_custom_manifest("reporting.a", query)
    assert orchestrator.execute_run(AllReports()).failed == 0


def set_query(query: str) -> None:
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
def test_query_in_another_spelling_is_no_drift(query: str) -> None:
    create_view("SELECT n, m FROM reporting.source WHERE n > 0")
    set_query(query)
    assert drift_by_view() == {}


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
    create_view("SELECT n, m FROM reporting.source WHERE n > 0")
    set_query(query)
    assert drift_by_view() == {"a": [None]}


def test_invalid_query_is_drift_with_the_reason() -> None:
    create_view("SELECT n FROM reporting.source")
    sql("ALTER TABLE reporting.source RENAME n TO number")
    assert drift_by_view() == {"a": ['column "n" does not exist']}


def test_drift_is_in_plan_result_and_status(
    manage: Callable[..., CompletedCommand],
) -> None:
    create_view("SELECT n FROM reporting.source")
    [(oid,)] = sql("SELECT 'reporting.a'::regclass::oid")
    set_query("SELECT m AS n FROM reporting.source")
    [planned] = manage("refresh_all", "--dry-run", "--json").document["views"]
    assert [entry["agencySlug"] for entry in planned["definitionDrift"]] == ["demo"]
    assert "Definition drift: the query of custom manifest 1 of demo" in manage("refresh_all", "--dry-run").out
    result = manage("refresh_all")
    assert result.exit_code == 0
    assert any(line.startswith("reporting.a: Definition drift: ") for line in result.lines)
    assert (JobStatus.objects.get().last_errors, RunHistory.objects.latest("id").errors) == (None, None)
    notes = RunMetrics.objects.latest("history_id").notes
    assert notes
    assert notes.startswith("Definition drift: the query of custom manifest 1 of demo is not")
    [job] = manage("refresh_status", "--json").document["jobs"]
    assert (job["errors"], job["notes"]) == (None, notes)
    assert any(notes.partition("\n")[0] in line for line in manage("refresh_status").lines)
    assert JobStatus.objects.get().consecutive_failures == 0
    assert sql("SELECT 'reporting.a'::regclass::oid, n FROM reporting.a") == [(oid, 1)]


def test_second_query_of_a_shared_view_is_drift() -> None:
    create_custom_manifest("reporting.shared", "SELECT 1 AS n")
    create_canned_report("reporting.shared", "SELECT 2 AS n", agencies=("metro", "harbor"))
    for _ in range(2):  # before the view exists, and after
        [view] = orchestrator.preview(AllReports()).views
        assert [entry.manifest.agency_slug for entry in view.definition_drift] == ["metro", "harbor"]
        orchestrator.execute_run(AllReports())


def test_drift_that_cannot_be_determined_is_not_reported() -> None:
    create_view("SELECT n FROM reporting.source")
    set_query("SELECT m FROM reporting.source")
    sql("CREATE ROLE nobody_s")
    try:
        sql("GRANT USAGE ON SCHEMA reporting TO nobody_s")
        sql("GRANT SELECT ON ALL TABLES IN SCHEMA reporting TO nobody_s")
        sql("REVOKE SELECT ON reporting.source FROM nobody_s")
        sql("REVOKE TEMPORARY ON DATABASE " + sql("SELECT quote_ident(current_database())")[0][0] + " FROM PUBLIC")
        sql("SET ROLE nobody_s")
        assert drift_by_view() == {}
    finally:
        sql("RESET ROLE")
        sql("GRANT TEMPORARY ON DATABASE " + sql("SELECT quote_ident(current_database())")[0][0] + " TO PUBLIC")
        sql("DROP OWNED BY nobody_s")
        sql("DROP ROLE nobody_s")


def test_drift_check_leaves_no_objects_behind() -> None:
    create_view("SELECT n FROM reporting.source")
    set_query("SELECT m FROM reporting.source; CREATE TABLE reporting.left_behind ()")
    before = sql("SELECT count(*) FROM pg_class")
    assert list(drift_by_view()) == ["a"]
    assert sql("SELECT count(*) FROM pg_class") == before


def test_confirmed_definition_is_not_compared_again() -> None:
    create_view("SELECT n FROM reporting.source")
    orchestrator.execute_run(AllReports())
    [(oid,)] = sql("SELECT view_oid FROM reporting.seeder_view_definition")
    assert [(oid,)] == sql("SELECT 'reporting.a'::regclass::oid::bigint")
    assert view_survey.survey(
        "default",
        {A: ["SELECT n FROM reporting.source"]},
        load_known=partial(planning.load_definitions, "default", tables=OptionalTables.read("default")),
    ) == (replace(view_survey.survey("default", {A: ["SELECT n FROM reporting.source"]}), confirmed=set()))


def test_plan_of_one_view_reads_the_definitions_of_that_view(monkeypatch: pytest.MonkeyPatch) -> None:
    create_view("SELECT n FROM reporting.source")
    create_custom_manifest("reporting.b", "SELECT m FROM reporting.source")
    orchestrator.execute_run(AllReports())
    assert ViewDefinition.objects.count() == 1, "a new view is confirmed by the next run"
    orchestrator.execute_run(AllReports())
    assert ViewDefinition.objects.count() == 2
    read: list[Set[DefinitionKey]] = []
    original = planning.load_definitions

    def observe(*args: Any, **options: Any) -> Set[DefinitionKey]:
        read.append(original(*args, **options))
        return read[-1]

    monkeypatch.setattr(planning, "load_definitions", observe)
    orchestrator.preview(SingleView(name=A))
    [(oid,)] = sql("SELECT 'reporting.a'::regclass::oid::bigint")
    assert [{one.oid for one in definitions} for definitions in read] == [{oid}]


def test_cached_definition_does_not_apply_to_a_new_view() -> None:
    create_view("SELECT n FROM reporting.source")
    orchestrator.execute_run(AllReports())
    sql("DROP MATERIALIZED VIEW reporting.a")
    sql("CREATE MATERIALIZED VIEW reporting.a AS SELECT m AS n FROM reporting.source")
    assert drift_by_view() == {"a": [None]}


def test_dry_run_caches_no_definition() -> None:
    create_view("SELECT n FROM reporting.source")
    orchestrator.preview(AllReports())
    assert not ViewDefinition.objects.exists()


def test_drift_is_never_cached_as_confirmed() -> None:
    create_view("SELECT n FROM reporting.source")
    set_query("SELECT m AS n FROM reporting.source")
    for _ in range(2):
        orchestrator.execute_run(AllReports())
        assert drift_by_view() == {"a": [None]}
    assert not ViewDefinition.objects.exists()


def test_drift_is_found_without_the_cache_table() -> None:
    sql("DROP TABLE reporting.seeder_view_definition")
    create_view("SELECT n FROM reporting.source")
    set_query("SELECT m AS n FROM reporting.source")
    orchestrator.execute_run(AllReports())
    assert drift_by_view() == {"a": [None]}
