"""The API of statistics and scores."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.http import HttpResponse
from pytest_django import Settings
from rest_framework.test import APIClient

from data_pipeline.api.stats_serializers import ScoreSerializer, StatisticSerializer
from tests.acceptance import api_clients
from tests.acceptance.data_pipeline.api_scene import ROOT, answer, client
from tests.conftest import create_custom_manifest, sql
from tests.integration.data_pipeline.stats_scene import load, refresh

pytestmark = pytest.mark.usefixtures("statistics")


@pytest.fixture
def statistics(load_tables: None, empty_queue: None, settings: Settings) -> Iterator[None]:
    """A view of sales of the agency demo, which is the ROI view, too."""
    settings.SEEDER = {"AGENCY_SCOPE": "tests.acceptance.api_clients.scope_by_last_name"}
    settings.DATA_PIPELINE = {
        **settings.DATA_PIPELINE,
        "STATS_VIEWS": {"sales": "mat_v_roi_full"},
        "ROI_VIEW_NAME": "mat_v_roi_full",
    }
    cache.clear()
    sql("CREATE TABLE landing.sales (day date, asin text, roi numeric)")
    create_custom_manifest("reporting.mat_v_roi_full", "SELECT * FROM landing.sales")
    load(
        1,
        "INSERT INTO landing.sales VALUES (current_date, 'A', 0.50), (current_date, 'B', 1.25),"
        " (current_date - 400, 'C', 2)",
    )
    refresh()
    yield
    api_clients.delete_users()


@pytest.fixture
def caller(statistics: None) -> APIClient:
    return client("reader", "view_stats")


def post(caller: APIClient, body: Any, path: str = f"{ROOT}score/") -> HttpResponse:
    return caller.post(path, json.dumps(body), content_type="application/json")


def test_statistic_has_rows_their_loads_and_their_period(caller: APIClient) -> None:
    found = answer(caller.get(f"{ROOT}stats/sales/", {"asin": "A,C"}))
    [(today,)] = sql("SELECT current_date::text")
    assert found["results"] == [{"day": today, "asin": "A", "roi": "0.50"}]
    assert answer(caller.get(f"{ROOT}stats/sales/", {"asin": ["A", "C"]}))["results"] == found["results"]
    assert (found["name"], found["view"]) == ("sales", "reporting.mat_v_roi_full")
    assert [table["loadId"] for table in found["asOf"]["tables"]] == [1]
    assert (found["asOf"]["refreshedAt"][-6:], found["asOf"]["stale"]) == ("+00:00", False)
    assert (found["period"]["to"], found["period"]["requestedTo"], found["period"]["clamped"]) == (today, None, False)
    assert found["columns"][2] == {"name": "roi", "type": "numeric"}


def test_documents_have_the_described_fields(caller: APIClient) -> None:
    statistic, score = answer(caller.get(f"{ROOT}stats/roi/")), answer(post(caller, {"ids": ["A"]}))
    assert statistic.keys() == StatisticSerializer().fields.keys()
    assert statistic["asOf"].keys() == StatisticSerializer().fields["asOf"].fields.keys()  # type: ignore[attr-defined]
    assert statistic["period"].keys() == StatisticSerializer().fields["period"].fields.keys()  # type: ignore[attr-defined]
    assert score.keys() == ScoreSerializer().fields.keys()


def test_links_lead_to_all_rows(caller: APIClient) -> None:
    first = answer(caller.get(f"{ROOT}stats/sales/?pageSize=1"))
    second = answer(caller.get(first["next"]))
    assert [first["results"][0]["asin"], second["results"][0]["asin"], second["next"]] == ["A", "B", None]
    assert answer(caller.get(second["previous"])) == first


def test_page_of_an_earlier_refresh_conflicts(caller: APIClient) -> None:
    first = answer(caller.get(f"{ROOT}stats/sales/?pageSize=1"))
    refresh()
    assert answer(caller.get(first["next"]), 409)["code"] == "page_outdated"


def test_clamped_period_is_shown(caller: APIClient) -> None:
    period = answer(caller.get(f"{ROOT}stats/sales/?date_from=2020-01-01&date_to=2021-01-01"))["period"]
    assert (period["requestedFrom"], period["from"], period["clamped"]) == ("2020-01-01", "2020-01-02", True)


def test_long_period_is_a_problem_if_it_may_not_be_clamped(caller: APIClient, settings: Settings) -> None:
    settings.DATA_PIPELINE = {**settings.DATA_PIPELINE, "REQUIRE_CLAMP": True}
    problem = answer(caller.get(f"{ROOT}stats/sales/?date_from=2020-01-01"), 422)
    assert (problem["code"], "longer than 365 days" in problem["detail"]) == ("period_too_long", True)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("vendor=acme", "vendor"),
        ("date_form=2026-01-01", "date_form"),
        ("roi=much", "roi"),
        ("day=today", "day"),
        ("asin=", "asin"),
        ("asin=%00", "asin"),
        ("pageSize=1&pageSize=2", "pageSize"),
        ("date_from=soon", "date_from"),
        ("date_from=2026-02-01&date_to=2026-01-01", "date_from"),
        ("cursor=x", "cursor"),
        ("cursor=WyJ4IiwtMV0", "cursor"),
        ("page=2", "page"),
        ("pageSize=201", "pageSize"),
        ("%FF=1", "\ufffd"),
    ],
)
def test_invalid_parameter_is_named(caller: APIClient, query: str, field: str) -> None:
    problem = answer(caller.get(f"{ROOT}stats/sales/?{query}"), 400)
    assert (problem["code"], list(problem["fields"])) == ("validation_error", [field])


def test_score_has_the_rows_of_ids_and_the_missing_ones(caller: APIClient) -> None:
    found = answer(post(caller, {"ids": ["C", "Z", "A"]}))
    assert [row["asin"] for row in found["results"]] == ["C", "A"]
    assert (found["notFound"], found["idColumn"]) == (["Z"], "asin")
    assert [table["loadId"] for table in found["asOf"]["tables"]] == [1]


@pytest.mark.parametrize(
    "body", [{}, {"ids": []}, {"ids": "A"}, {"ids": [True]}, {"ids": [1.5]}, {"ids": ["\0"]}, {"ids": [""]}, [], 1]
)
def test_invalid_ids_are_refused(caller: APIClient, body: Any) -> None:
    assert answer(post(caller, body), 400)["code"] == "validation_error"


def test_ids_are_limited(caller: APIClient) -> None:
    assert post(caller, {"ids": list(range(500))}).status_code == 200
    assert "ids" in answer(post(caller, {"ids": list(range(501))}), 400)["fields"]


def test_id_of_another_type_is_refused(caller: APIClient, settings: Settings) -> None:
    settings.DATA_PIPELINE = {**settings.DATA_PIPELINE, "SCORE_ID_COLUMNS": "roi"}
    assert answer(post(caller, {"ids": ["much"]}), 400)["fields"]["ids"] == [
        "'roi' must be a value of the type numeric."
    ]


def test_unknown_and_invisible_statistics_are_not_found(caller: APIClient) -> None:
    for name, user in (("load_log", caller), ("reporting.mat_v_roi_full", caller), ("x%00", caller)):
        assert answer(user.get(f"{ROOT}stats/{name}/"), 404)["code"] == "not_found"
    metro = client("metro", "view_stats", agencies="metro")
    assert [metro.get(f"{ROOT}stats/sales/").status_code, post(metro, {"ids": ["A"]}).status_code] == [404, 404]


def test_permission_is_required(statistics: None) -> None:
    stranger = client("stranger", "view_loadlog")
    assert [stranger.get(f"{ROOT}stats/sales/").status_code, post(stranger, {"ids": ["A"]}).status_code] == [403, 403]
    assert APIClient().get(f"{ROOT}stats/sales/").status_code == 401


def test_fault_of_the_host_shows_no_name(caller: APIClient, settings: Settings) -> None:
    for changed in ({"ROI_VIEW_NAME": "load_log"}, {"ROI_VIEW_NAME": "test_roi_view"}):
        settings.DATA_PIPELINE = {**settings.DATA_PIPELINE, **changed}
        for response in (caller.get(f"{ROOT}stats/roi/"), post(caller, {"ids": ["A"]})):
            problem = answer(response, 503)
            assert (problem["code"], "roi" in problem["detail"]) == ("unavailable", False)


@pytest.mark.parametrize("end", ["", "/"])
def test_bare_paths_answer_as_the_versioned_ones(caller: APIClient, end: str) -> None:
    versioned = answer(caller.get(f"{ROOT}stats/sales/"))
    assert answer(caller.get(f"/stats/sales{end}")) == versioned
    assert answer(post(caller, {"ids": ["A"]}, f"/score{end}"))["results"] == versioned["results"][:1]


def test_unchanged_statistic_answers_304(caller: APIClient) -> None:
    first = caller.get(f"{ROOT}stats/sales/")
    assert caller.get(f"{ROOT}stats/sales/", HTTP_IF_NONE_MATCH=first["ETag"]).status_code == 304
    load(2, "INSERT INTO landing.sales VALUES (current_date, 'D', 1)")
    assert caller.get(f"{ROOT}stats/sales/", HTTP_IF_NONE_MATCH=first["ETag"]).status_code == 200


def test_scores_are_not_throttled_as_writes(caller: APIClient, settings: Settings) -> None:
    settings.SEEDER = {**settings.SEEDER, "API_WRITE_RATE": "1/day"}
    assert [post(caller, {"ids": ["A"]}).status_code for _ in range(3)] == [200, 200, 200]
