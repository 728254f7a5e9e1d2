"""The API of loads: list, detail, and the agencies of the user."""

from datetime import UTC, datetime, timedelta

import pytest
from rest_framework.test import APIClient

from tests.acceptance import api_clients
from tests.acceptance.data_pipeline import api_scene
from tests.acceptance.data_pipeline.api_scene import DAMAGED, FEES, HEADLESS, ORDERS, ROOT, answer
from tests.conftest import create_custom_manifest, sql

pytestmark = pytest.mark.usefixtures("api_loads")


@pytest.fixture
def reader() -> APIClient:
    return api_scene.client("reader", *api_scene.READER)


def ids(caller: APIClient, **parameters: str | int) -> list[int]:
    return [one["loadId"] for one in answer(caller.get(f"{ROOT}loads/", parameters))["results"]]


def test_list_shows_loads_of_own_tables_latest_first(reader: APIClient) -> None:
    page = answer(reader.get(f"{ROOT}loads/"))
    assert [one["loadId"] for one in page["results"]] == [HEADLESS, DAMAGED, ORDERS]
    load = page["results"][2]
    assert (load["status"], load["table"], load["rowsIn"], load["rowsInserted"]) == ("success", "landing.orders", 3, 3)
    assert 0 < load["durationSeconds"] < 60
    assert (page["next"], page["previous"]) == (None, None)


def test_superuser_sees_loads_of_all_agencies() -> None:
    caller = api_scene.client("root", is_superuser=True)
    assert ids(caller) == [FEES, HEADLESS, DAMAGED, ORDERS]


def test_requested_load_of_another_table_is_visible(reader: APIClient) -> None:
    sql(
        "INSERT INTO load_request (source_uri, requested_by, state, load_id, action)"
        " VALUES ('x', 'reader', 'ended', 4, 'load'), ('x', 'reader', 'ended', 4, 'undo'),"
        " ('x', 'reader', 'ended', 1, 'load')"
    )
    assert ids(reader) == [FEES, HEADLESS, DAMAGED, ORDERS]
    assert ids(reader, requestedBy="reader") == [FEES, ORDERS]
    assert reader.get(f"{ROOT}loads/{FEES}/").status_code == 200


def test_load_of_another_agency_is_not_found(reader: APIClient) -> None:
    sql("INSERT INTO load_request (source_uri, requested_by, load_id, action) VALUES ('x', 'reader', 4, 'verify')")
    assert [reader.get(f"{ROOT}loads/{load_id}/").status_code for load_id in (FEES, 99, 10**30)] == [404] * 3


def test_table_behind_views_of_views_and_partitions_is_visible(reader: APIClient) -> None:
    assert ids(reader, table="landing.fees") == []
    sql("CREATE TABLE landing.all_fees (LIKE landing.fees) PARTITION BY RANGE (id)")
    sql("DROP MATERIALIZED VIEW reporting.fee_total")
    sql("ALTER TABLE landing.fees DROP CONSTRAINT fees_pkey; ALTER TABLE landing.fees ALTER id DROP NOT NULL")
    sql("ALTER TABLE landing.all_fees ALTER id DROP NOT NULL")
    sql("ALTER TABLE landing.all_fees ATTACH PARTITION landing.fees DEFAULT")
    sql("CREATE VIEW landing.plain AS SELECT * FROM landing.all_fees")
    sql("CREATE MATERIALIZED VIEW landing.inner_total AS SELECT count(*) AS n FROM landing.plain")
    sql("DROP MATERIALIZED VIEW reporting.order_total")
    sql("CREATE MATERIALIZED VIEW reporting.order_total AS SELECT n FROM landing.inner_total")
    assert ids(reader) == [FEES]


def test_table_that_a_query_declares_to_read_is_visible(reader: APIClient) -> None:
    create_custom_manifest("reporting.opaque", "-- depends_on: landing.fees\nSELECT 1 AS n")
    assert ids(reader, table="landing.fees") == [FEES]


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"status": "failed"}, [HEADLESS]),
        ({"status": "failed,success"}, [HEADLESS, DAMAGED, ORDERS]),
        ({"status": "undone"}, []),
        ({"table": "Landing.ORDERS", "status": "success"}, [DAMAGED, ORDERS]),
        ({"source": "ingest.import_file"}, [HEADLESS, DAMAGED, ORDERS]),
        ({"source": "other"}, []),
        ({"dateTo": "2001-01-01"}, []),
        ({"dateFrom": "2001-01-01T00:00:00+01:00", "dateTo": "9999-12-31"}, [HEADLESS, DAMAGED, ORDERS]),
    ],
)
def test_list_is_filtered(reader: APIClient, parameters: dict[str, str], expected: list[int]) -> None:
    assert ids(reader, **parameters) == expected


def test_list_of_a_period_excludes_its_end(reader: APIClient) -> None:
    for load_id, at in ((ORDERS, "01-31 00:00:00"), (DAMAGED, "01-31 23:59:59.999999"), (HEADLESS, "02-01 00:00:00")):
        sql("UPDATE load_log SET created_at = %s WHERE id = %s", f"2026-{at}+00", load_id)
    assert ids(reader, dateFrom="2026-01-31", dateTo="2026-02-01") == [DAMAGED, ORDERS]


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("status=great", "status"),
        ("dateFrom=today", "dateFrom"),
        ("dateTo=9999-12-31T23:00:00-05:00", "dateTo"),
        ("dateFrom=2026-02-01&dateTo=2026-01-01", "dateTo"),
        ("table=a.b.c", "table"),
        ("cursor=abc", "cursor"),
        ("pageSize=0", "pageSize"),
        ("stauts=failed", "stauts"),
    ],
)
def test_invalid_parameter_of_list_is_named(reader: APIClient, query: str, name: str) -> None:
    problem = answer(reader.get(f"{ROOT}loads/?{query}"), 400)
    assert (problem["code"], list(problem["fields"])) == ("validation_error", [name])


def test_pages_lead_to_the_end_and_back(reader: APIClient) -> None:
    sql("UPDATE load_log SET created_at = '2026-01-01'")  # the same time for all
    pages = [answer(reader.get(f"{ROOT}loads/?pageSize=1"))]
    while pages[-1]["next"]:
        pages.append(answer(reader.get(pages[-1]["next"])))
    assert [one["results"][0]["loadId"] for one in pages] == [HEADLESS, DAMAGED, ORDERS]
    back = answer(reader.get(pages[2]["previous"]))
    assert back["results"] == pages[1]["results"]
    first = answer(reader.get(back["previous"]))
    assert (first["results"], first["previous"]) == (pages[0]["results"], None)


def test_list_takes_the_same_statements_for_more_loads(reader: APIClient) -> None:
    few = api_clients.count_statements(lambda: ids(reader, pageSize=1))
    many = api_clients.count_statements(lambda: ids(reader, pageSize=3))
    assert many == few


def test_detail_shows_rejects_refresh_and_events(reader: APIClient) -> None:
    load = answer(reader.get(f"{ROOT}loads/{DAMAGED}/"))
    assert load["rejectCounts"] == {"open": 3, "replayed": 0, "dismissed": 0}
    assert load["problems"][0] == {
        "column": "price",
        "sqlstate": "22P02",
        "records": 2,
        "condition": "invalid_text_representation",
    }
    assert load["refresh"]["views"] == ["reporting.order_total"]
    assert load["refresh"]["status"] == "queued"
    assert [one["event"] for one in load["events"]] == ["claimed", "loaded"]
    assert load["metadata"]["options"] == {"table": "landing.orders", "max_rejects": 10}
    assert load["actions"] == []


def test_detail_names_the_actions_that_the_user_may_do() -> None:
    caller = api_scene.client("operator", *api_scene.OPERATOR)
    actions = [answer(caller.get(f"{ROOT}loads/{one}/"))["actions"] for one in (ORDERS, DAMAGED, HEADLESS)]
    assert actions == [["replay", "undo", "verify"], ["replay", "undo", "verify", "dismiss"], ["replay", "dismiss"]]


def test_error_message_requires_see_raw(reader: APIClient) -> None:
    operator = api_scene.client("operator", *api_scene.OPERATOR)
    texts = [answer(caller.get(f"{ROOT}loads/{HEADLESS}/"))["errorMessage"] for caller in (reader, operator)]
    assert texts[0] == "header refused"
    assert texts[1].startswith("The header of")
    assert "error" not in answer(reader.get(f"{ROOT}loads/{HEADLESS}/"))["events"][-1]["facts"]


def test_secret_in_metadata_is_hidden(reader: APIClient) -> None:
    sql("""UPDATE load_log SET payload_meta = payload_meta || '{"api_key": "hunter2"}' WHERE id = 1""")
    response = reader.get(f"{ROOT}loads/{ORDERS}/")
    assert b"hunter2" not in response.content
    assert response.json()["metadata"]["api_key"] == "…"


def test_stuck_load_is_marked(reader: APIClient) -> None:
    sql("UPDATE load_log SET status = 'pending' WHERE id = 1")
    [load] = answer(reader.get(f"{ROOT}loads/?status=pending"))["results"]
    assert (load["stuck"], load["failing"]) == (True, False)


def test_loads_without_permission_are_forbidden() -> None:
    caller = api_scene.client("stranger", "view_loadrequest")
    assert [caller.get(f"{ROOT}{path}").status_code for path in ("loads/", "loads/1/", "requests/")] == [403, 403, 200]


def test_created_time_is_in_utc(reader: APIClient) -> None:
    created = datetime.fromisoformat(answer(reader.get(f"{ROOT}loads/{ORDERS}/"))["createdAt"])
    assert timedelta(0) <= datetime.now(UTC) - created < timedelta(minutes=5)
