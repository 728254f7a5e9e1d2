"""OpenLineage events, validated against the schemas of its specification."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # it has no types
from pytest_django import Settings
from referencing import Registry, Resource

from seeder.domain.notifications.lineage import EVENT
from seeder.domain.refresh_requests import AllReports
from seeder.models import Notification, Run
from seeder.services.history_pruning import prune
from seeder.services.notifications.sending import send_notifications
from seeder.services.run import orchestrator
from tests.conftest import create_custom_manifest, sql
from tests.integration.notifications.channels import create_views, refresh
from tests.scripted_http import ScriptedServer, answer, serve

pytestmark = pytest.mark.usefixtures("contract_tables")
SCHEMAS = {
    schema["$id"]: schema
    for path in (Path(__file__).parent / "openlineage").glob("*.json")
    for schema in [json.loads(path.read_text(encoding="utf-8"))]
}
REGISTRY: Registry[Any] = Registry().with_resources(
    [(uri, Resource.from_contents(schema)) for uri, schema in SCHEMAS.items()]
)


def use(settings: Settings, url: str, **options: object) -> None:
    channel = {"openlineage": url, "namespace": "reporting", "token": "s3cret", "timeout_seconds": 5, **options}
    settings.SEEDER = {"NOTIFICATIONS": {"marquez": channel}, "MAX_RETRIES": 0}


def sent_events(server: ScriptedServer) -> list[Any]:
    send_notifications()
    return [json.loads(request.body) for request in server.requests]


def require_valid(event: Any) -> None:
    """Validate an event and its facets, each against the schema that it names."""
    facets = [
        event["run"]["facets"],
        event["job"]["facets"],
        *(one.get("outputFacets", {}) for one in event["outputs"]),
    ]
    named = [(event, event["schemaURL"]), *((one, one["_schemaURL"]) for group in facets for one in group.values())]
    for part, uri in named:
        assert uri.partition("#")[0] in SCHEMAS
        validator = Draft202012Validator(
            {"$ref": uri}, registry=REGISTRY, format_checker=Draft202012Validator.FORMAT_CHECKER
        )
        validator.validate(part)


def test_every_refresh_has_valid_events_in_order(settings: Settings) -> None:
    with serve(answer(201)) as server:
        use(settings, server.url)
        create_views("a", "b")
        refresh()
        refresh("b")
        events = sent_events(server)
        assert {request.headers["authorization"] for request in server.requests} == {"Bearer s3cret"}
    for event in events:
        require_valid(event)
    name = events[0]["job"]["name"].partition(".")[0]
    by_view = {
        view: [one for one in events if one["job"] | {"facets": None} == job(f"{name}.reporting.{view}")]
        for view in ("a", "b")
    }
    assert [one["eventType"] for one in by_view["a"]] == ["START", "COMPLETE"] * 2
    assert [one["eventType"] for one in by_view["b"]] == ["START", "COMPLETE", "START", "FAIL"]
    first, second, start, failed = by_view["b"]
    assert first["run"]["runId"] == second["run"]["runId"] != start["run"]["runId"] == failed["run"]["runId"]
    assert start["run"]["facets"]["parent"]["run"] == by_view["a"][2]["run"]["facets"]["parent"]["run"]
    [output], [read] = second["outputs"], second["inputs"]
    assert output["name"] == f"{name}.reporting.b"
    assert output["namespace"].startswith("postgres://")
    assert read["name"] == f"{name}.reporting.divisor"
    assert output["outputFacets"]["outputStatistics"]["rowCount"] == 1
    assert second["job"]["facets"]["sql"]["query"].startswith("SELECT 1 / d AS x")
    assert failed["run"]["facets"]["errorMessage"]["message"] == "division_by_zero, SQLSTATE 22012"
    assert "division by zero" not in json.dumps(failed)
    assert first["eventTime"] <= second["eventTime"] <= start["eventTime"]


def job(name: str) -> dict[str, Any]:
    return {"namespace": "reporting", "name": name, "facets": None}


def test_view_on_a_view_reads_it_and_sql_can_be_left_out(settings: Settings) -> None:
    with serve(answer(201)) as server:
        use(settings, server.url, sql=False)
        create_custom_manifest("reporting.base", "SELECT 1 AS n")
        orchestrator.execute_run(AllReports())
        create_custom_manifest("reporting.trend", "SELECT n FROM reporting.base")
        orchestrator.execute_run(AllReports())
        events = sent_events(server)
    [*_, last] = [one for one in events if one["job"]["name"].endswith(".trend")]
    assert [one["name"].partition(".")[2] for one in last["inputs"]] == ["reporting.base"]
    assert "sql" not in last["job"]["facets"]


def test_refresh_of_a_killed_run_is_aborted_once(settings: Settings) -> None:
    with serve(answer(201)) as server:
        use(settings, server.url)
        create_views("a")
        refresh()
        sql("DELETE FROM reporting.seeder_notification WHERE facts ->> 'type' <> 'START'")
        Run.objects.update(finished_at=None)
        assert {one["eventType"] for one in sent_events(server)} == {"START"}
        sql("UPDATE reporting.seeder_run SET finished_at = clock_timestamp()")
        for _ in range(2):
            events = sent_events(server)
    refreshes = [one for one in events if one["outputs"]]
    assert [one["eventType"] for one in refreshes] == ["START", "ABORT"]
    require_valid(refreshes[1])
    assert refreshes[1]["run"]["runId"] == refreshes[0]["run"]["runId"]


def test_run_is_the_parent_of_its_refreshes_and_has_events_of_its_own(settings: Settings) -> None:
    with serve(answer(201)) as server:
        use(settings, server.url)
        create_views("a", "b")
        for failing in ((), ("b",), ()):
            refresh(*failing)
        sql(
            "UPDATE reporting.seeder_run SET finished_at = NULL"
            " WHERE started_at = (SELECT max(started_at) FROM reporting.seeder_run)"
        )
        assert len([one for one in sent_events(server) if not one["outputs"]]) == 5, "one run is still open"
        sql("UPDATE reporting.seeder_run SET (finished_at, stopped_by) = (now(), 'killed') WHERE finished_at IS NULL")
        for _ in range(2):
            events = sent_events(server)
    runs = [one for one in events if not one["outputs"]]
    for event in runs:
        require_valid(event)
    assert [one["eventType"] for one in runs] == ["START", "COMPLETE", "START", "FAIL", "START", "ABORT"]
    assert [one["run"]["facets"].get("errorMessage", {}).get("message") for one in runs] == [
        *(None, None, None, "1 failed", None, "interrupted")
    ]
    parents = [one["run"]["facets"]["parent"] for one in events if one["outputs"]]
    assert {one["run"]["runId"] for one in runs} == {one["run"]["runId"] for one in parents}
    assert {one["job"]["name"] for one in runs} == {one["job"]["name"] for one in parents} == {"run"}


def test_channel_of_other_agencies_gets_no_events(settings: Settings) -> None:
    use(settings, "https://marquez.example.org", agencies=["metro"])
    create_views("a")
    refresh("a")
    send_notifications()
    assert not Notification.objects.filter(event=EVENT).exists()


def test_delivered_events_are_pruned_after_a_week(settings: Settings) -> None:
    use(settings, "https://marquez.example.org")
    create_views("a")
    refresh()
    sql("UPDATE reporting.seeder_notification SET created_at = now() - interval '8 days'")
    assert Notification.objects.count() == 2
    prune()
    assert Notification.objects.count() == 2
    sql("UPDATE reporting.seeder_notification SET state = 'sent', ended_at = now() WHERE facts ->> 'type' = 'START'")
    prune()
    assert Notification.objects.get().facts["type"] == "COMPLETE"
