"""The API of rejects: pages, CSV, and what is masked without the permission to see values."""

import csv
import io
from pathlib import Path

import pytest
from rest_framework.test import APIClient

from data_pipeline.services.reject_replay import replay_rejects
from tests.acceptance.data_pipeline import api_scene
from tests.acceptance.data_pipeline.api_scene import DAMAGED, FEES, ROOT, answer
from tests.conftest import sql

pytestmark = pytest.mark.usefixtures("api_loads")
REJECTS = f"{ROOT}loads/{DAMAGED}/rejects/"


@pytest.fixture
def reader() -> APIClient:
    return api_scene.client("reader", *api_scene.READER)


@pytest.fixture
def operator() -> APIClient:
    return api_scene.client("operator", *api_scene.OPERATOR)


def csv_of(caller: APIClient, query: str = "?format=csv", **headers: str) -> str:
    response = caller.get(REJECTS + query, headers=headers)
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"] == f'attachment; filename="rejects-of-load-{DAMAGED}.csv"'
    return b"".join(response.streaming_content).decode()  # type: ignore[attr-defined]


def test_rejects_have_problems_and_values_of_columns(operator: APIClient) -> None:
    page = answer(operator.get(REJECTS))
    assert [(one["recordNo"], one["lineNo"], one["status"]) for one in page["results"]] == [
        (1, 2, "open"),
        (2, 3, "open"),
        (4, 5, "open"),
    ]
    first = page["results"][0]
    assert (first["raw"], first["masked"], first["shortened"]) == ("4,Delta,12.x", False, False)
    assert first["values"] == {"id": "4", "name": "Delta", "price": "12.x"}
    assert first["problems"] == [
        {
            "column": "price",
            "sqlstate": "22P02",
            "reason": 'invalid input syntax for type numeric: "12.x"',
            "value": "12.x",
        }
    ]


def test_rejects_are_masked_without_see_raw(reader: APIClient) -> None:
    response = reader.get(REJECTS)
    first = response.json()["results"][0]
    assert (first["raw"], first["values"], first["masked"]) == ("9,xxxxx,99.x", None, True)
    assert first["problems"][0] == {
        "column": "price",
        "sqlstate": "22P02",
        "reason": "invalid text representation",
        "value": "99.x",
    }
    assert not any(secret in response.content for secret in (b"Delta", b"12.x", b"SUM", b"oops"))


def test_pages_of_rejects_lead_to_the_end_and_back(operator: APIClient) -> None:
    pages = [answer(operator.get(f"{REJECTS}?pageSize=1"))]
    while pages[-1]["next"]:
        pages.append(answer(operator.get(pages[-1]["next"])))
    assert [page["results"][0]["recordNo"] for page in pages] == [1, 2, 4]
    assert answer(operator.get(pages[2]["previous"]))["results"] == pages[1]["results"]


@pytest.mark.parametrize(
    ("query", "records"),
    [
        ("column=price", [1, 2]),
        ("sqlstate=22021", [4]),
        ("column=price&sqlstate=22021", []),
        ("status=dismissed,replayed", []),
        ("status=open", [1, 2, 4]),
    ],
)
def test_rejects_are_filtered(operator: APIClient, query: str, records: list[int]) -> None:
    assert [one["recordNo"] for one in answer(operator.get(f"{REJECTS}?{query}"))["results"]] == records


@pytest.mark.parametrize("query", ["status=shut", "sqlstate=1", "format=xml", "cursor=PjIwMjY", "limit=1"])
def test_invalid_parameter_of_rejects_is_refused(operator: APIClient, query: str) -> None:
    assert list(answer(operator.get(f"{REJECTS}?{query}"), 400)["fields"]) == [query.partition("=")[0]]


def test_csv_guards_formulas_and_has_all_open_rejects(operator: APIClient) -> None:
    text = csv_of(operator)
    rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline="")))
    assert text.startswith("\ufeff")  # for spreadsheets
    assert [row["reject_record"] for row in rows] == ["1", "2", "4"]
    assert rows[1]["name"] == "'=SUM(A1)"
    assert (rows[0]["price"], rows[0]["reject_line"]) == ("12.x", "2")


def test_csv_is_chosen_by_the_accept_header(operator: APIClient) -> None:
    assert csv_of(operator, "", accept="text/csv") == csv_of(operator)
    assert operator.get(REJECTS, headers={"accept": "text/html,*/*"})["Content-Type"] == "application/json"


def test_csv_has_no_values_without_see_raw(reader: APIClient) -> None:
    rows = list(csv.reader(io.StringIO(csv_of(reader).removeprefix("\ufeff"), newline="")))
    assert rows[0] == ["reject_record", "reject_line", "reject_reasons"]
    assert rows[1] == ["1", "2", "price: invalid text representation"]


def test_downloaded_csv_can_be_replayed(operator: APIClient, api_loads: Path) -> None:
    path = api_loads / "corrected.csv"
    text = csv_of(operator).replace("12.x", "12.5").replace("oops", "1")
    path.write_text(text, encoding="utf-8")
    result = replay_rejects(DAMAGED, path=str(path), actor="a test")
    assert list(result.replayed) == [1, 2, 4]
    assert sql("SELECT name, price::text FROM landing.orders WHERE id IN (4, 5) ORDER BY id") == [
        ("Delta", "12.5"),
        ("=SUM(A1)", "1"),
    ]


def test_shortened_reject_stays_marked_after_others_were_replayed(operator: APIClient) -> None:
    """Whether a record is shortened depends on the bytes of all records before it."""
    sql(
        "INSERT INTO load_reject (load_id, line_no, record_no, problems, raw) SELECT 2, n, n, '[]', repeat('x', 65000)"
        "::bytea FROM generate_series(5, 300) AS n"
    )
    sql(
        "INSERT INTO load_reject (load_id, line_no, record_no, problems, raw) VALUES (2, 301, 301, '[]', repeat('x',"
        " 256)::bytea)"
    )
    sql("UPDATE load_reject SET state = 'dismissed' WHERE record_no < 301")
    [last] = answer(operator.get(f"{REJECTS}?status=open"))["results"]
    assert (last["recordNo"], last["shortened"]) == (301, True)


def test_rejects_of_another_agency_are_not_found(operator: APIClient) -> None:
    assert [operator.get(f"{ROOT}loads/{one}/rejects/").status_code for one in (FEES, 99)] == [404, 404]


def test_rejects_without_permission_are_forbidden() -> None:
    assert api_scene.client("stranger", "view_loadlog", "see_raw").get(REJECTS).status_code == 403
