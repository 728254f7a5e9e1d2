"""The API of lineages: from loads to views, and back."""

import pytest
from rest_framework.test import APIClient

from seeder.domain.refresh_requests import AllReports
from seeder.services.run import orchestrator
from tests.acceptance.data_pipeline import api_scene
from tests.acceptance.data_pipeline.api_scene import DAMAGED, HEADLESS, ORDERS, ROOT, answer
from tests.conftest import create_custom_manifest, sql

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("api_loads")]


@pytest.fixture
def reader() -> APIClient:
    return api_scene.client("reader", *api_scene.READER)


def create_inner_and_outer_view() -> None:
    """Create a view on the view of orders, of the same agency, and one of another agency."""
    for name, agency in (("reporting.doubled", "demo"), ("reporting.secret", "harbor")):
        query = "SELECT 2 * n AS n FROM reporting.order_total"
        create_custom_manifest(name, query, agency=agency)
        sql(f"CREATE MATERIALIZED VIEW {name} AS {query}")


def test_lineage_follows_a_table_to_loads_and_views(reader: APIClient) -> None:
    create_inner_and_outer_view()
    lineage = answer(reader.get(f"{ROOT}tables/Landing.ORDERS/lineage/"))
    assert [one["loadId"] for one in lineage["loads"]] == [HEADLESS, DAMAGED, ORDERS]
    assert (lineage["table"], lineage["hiddenViews"]) == ("landing.orders", 1)
    assert lineage["views"] == [
        {"view": "reporting.order_total", "layer": 1, "reads": ["landing.orders"]},
        {"view": "reporting.doubled", "layer": 2, "reads": ["reporting.order_total"]},
    ]


@pytest.mark.parametrize("name", ["landing.fees", "landing.missing", "a.b.c.d", 'x"'])
def test_lineage_of_invisible_table_is_not_found(reader: APIClient, name: str) -> None:
    assert answer(reader.get(f"{ROOT}tables/{name}/lineage/"), 404)["code"] == "not_found"


def test_lineage_of_unknown_table_is_not_found_for_superuser() -> None:
    caller = api_scene.client("root", is_superuser=True)
    paths = ("landing.fees", "landing.missing", "a.b.c.d")
    assert [caller.get(f"{ROOT}tables/{name}/lineage/").status_code for name in paths] == [200, 404, 404]


def test_view_names_the_loads_that_it_contains(reader: APIClient) -> None:
    before = answer(reader.get(f"{ROOT}views/order_total/as-of/"))
    assert (before["view"], before["refreshedAt"], before["stale"]) == ("reporting.order_total", None, True)
    orchestrator.execute_run(AllReports(), requested_by="a test")
    [table] = answer(reader.get(f"{ROOT}views/reporting.order_total/as-of/"))["tables"]
    assert (table["table"], table["loadId"], table["newerLoads"]) == ("landing.orders", DAMAGED, 0)


@pytest.mark.parametrize("name", ["reporting.fee_total", "reporting.missing", "landing.orders", "a.b.c"])
def test_as_of_of_invisible_view_is_not_found(reader: APIClient, name: str) -> None:
    assert answer(reader.get(f"{ROOT}views/{name}/as-of/"), 404)["code"] == "not_found"


def test_lineages_without_permission_are_forbidden() -> None:
    caller = api_scene.client("stranger", "view_loadrequest")
    paths = ("tables/landing.orders/lineage/", "views/reporting.order_total/as-of/")
    assert [caller.get(ROOT + path).status_code for path in paths] == [403, 403]
