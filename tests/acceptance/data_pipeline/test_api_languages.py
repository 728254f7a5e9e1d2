"""Messages of the API of loads that are in no catalog. Each message is marked."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from tests.acceptance.data_pipeline import api_scene
from tests.acceptance.data_pipeline.api_scene import DAMAGED, HEADLESS, ORDERS, ROOT
from tests.pseudo_locale import mark_messages, words_outside

JSON, CSV, FORM = "application/json", "text/csv", "multipart/form-data; boundary=b"
# What stays English, as regular expressions: names of parameters and values.
ALLOWED = (
    r"^\w+(\.\w+)*: |; \w+: ",  # the parameter
    r"file:\S+|/tmp\S+|\b(landing|reporting)\.\w+|\b[a-z]+(_[a-z]+)+\b|'\w+'|\b(bigint|generic|prices|rates)\b|application/json|multipart/form-data",
    r"\b(pageSize|cursor|status|table|source|requestedBy|dateFrom|dateTo)\b",
)
_PART = 'Content-Disposition: form-data; name="{}"{}\r\n\r\nx\r\n'
_FILE = _PART.format("file", '; filename="a"')


def form(*parts: str, end: str = "--b--\r\n") -> str:
    return "".join(f"--b\r\n{part}" for part in parts) + end


def correction(number: int, **values: str) -> Mapping[str, Any]:
    return {"recordNo": number, "values": values}


GETS = (
    f"{ROOT}loads/?sort=a",
    f"{ROOT}loads/?cursor=x",
    f"{ROOT}loads/?table=a.b.c",
    f"{ROOT}loads/?dateFrom=2026-02-01T00:00:00Z&dateTo=2026-01-01T00:00:00Z",
    f"{ROOT}loads/99/",
    f"{ROOT}loads/?source=a&source=b",
    f"{ROOT}tables/landing.nothing/lineage/",
    f"{ROOT}views/reporting.nothing/as-of/",
    f"{ROOT}stats/nothing/",
    f"{ROOT}stats/fees/?amount=1&other=2",
    f"{ROOT}stats/fees/?n=x",
    f"{ROOT}stats/fees/?date_from=2026-01-01",
    f"{ROOT}stats/fees/?cursor=x",
)
POSTS: tuple[tuple[str, object, str], ...] = (
    (f"{ROOT}loads/{HEADLESS}/undo/", {}, JSON),
    (f"{ROOT}loads/{HEADLESS}/verify/", {}, JSON),
    (f"{ROOT}loads/{DAMAGED}/replay/", {"corrections": [correction(1)], "rejectsAsIs": True}, JSON),
    (f"{ROOT}loads/{DAMAGED}/replay/", {"corrections": [correction(1), correction(1)]}, JSON),
    (f"{ROOT}loads/{DAMAGED}/replay/", {"corrections": [correction(1, name="\0")]}, JSON),
    (f"{ROOT}loads/{DAMAGED}/replay/", {"corrections": [correction(9, name="a")]}, JSON),
    (f"{ROOT}loads/{DAMAGED}/replay/", {"corrections": [correction(1, other="a")]}, JSON),
    (f"{ROOT}loads/{ORDERS}/dismiss/", {"a": 1}, JSON),
    ("/ingest", {"source_uri": "/etc/passwd", "table": "landing.orders"}, JSON),
    ("/ingest", {"source_uri": "{folder}/missing.csv", "table": "landing.orders"}, JSON),
    ("/ingest", {"source_uri": "{folder}", "table": "landing.orders"}, JSON),
    ("/ingest", {"source_uri": "{folder}/orders.csv", "table": "landing.nothing"}, JSON),
    ("/ingest", {"source_uri": "{folder}/orders.csv", "dialect": "nothing"}, JSON),
    ("/ingest", {"source_uri": "{folder}/orders.csv"}, JSON),
    ("/ingest?table=landing.orders&table=b", "id\n", CSV),
    ("/ingest?table=landing.orders", "", CSV),
    ("/upload?table=landing.orders", form(_FILE, _PART.format("mode", "")), FORM),
    ("/upload?table=landing.orders", form(_FILE, _FILE), FORM),
    ("/upload?table=landing.orders", form(end="--b\r\n"), FORM),
    ("/upload?table=landing.orders", form(), FORM),
    ("/upload", form(_FILE, _PART.format("mode", ""), _PART.format("mode", "")), FORM),
    ("/ingest/records?table=landing.orders", {"a": 1}, JSON),
    ("/ingest/records?table=landing.orders", "[{", JSON),
    (f"{ROOT}score/", {"ids": [True]}, JSON),
)


@pytest.mark.slow
def test_messages_of_the_api_are_translated(
    api_loads: Path, settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> None:
    (api_loads / "uploads").mkdir()
    settings.DATA_PIPELINE = {
        **settings.DATA_PIPELINE,
        "INGEST_ROOTS": [str(api_loads)],
        "UPLOAD_ROOT": str(api_loads / "uploads"),
        "STATS_VIEWS": {"fees": "reporting.order_total"},
    }
    caller = api_scene.client("loader", *api_scene.OPERATOR, "view_stats", agencies="demo")
    mark_messages(settings, tmp_path_factory.mktemp("marked"))

    def post(path: str, body: object, media: str) -> Any:
        content = (body if isinstance(body, str) else json.dumps(body)).replace("{folder}", str(api_loads))
        return caller.post(path, content, content_type=media)

    answers = {path: caller.get(path) for path in GETS}
    answers |= {f"{path} {body}": post(path, body, media) for path, body, media in POSTS}
    left = {}
    for request, answer in answers.items():
        detail = str(answer.json().get("detail"))
        if "⟦" not in detail or words_outside(detail, ALLOWED):
            left[request] = answer.status_code, detail
    assert left == {}
