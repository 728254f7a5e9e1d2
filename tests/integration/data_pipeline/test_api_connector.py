"""The connector of docs/how-to/call-an-external-api.md, run as it is printed against a real server."""

import json
from collections.abc import Callable

import pytest

from data_pipeline.http_errors import TooManyPages, UnexpectedStatus
from data_pipeline.models import LoadLog
from tests.architecture.markdown import code_blocks, page_text
from tests.conftest import sql
from tests.integration.data_pipeline.metric_samples import samples
from tests.scripted_http import ScriptedServer, Step, answer, serve

LoadFees = Callable[[str], int | None]


def page(next_cursor: str | None, *asins: str) -> Step:
    fees = ", ".join(f'{{"asin": "{asin}", "fee": 0.1000000000000000055}}' for asin in asins)
    return answer(body=f'{{"next": {json.dumps(next_cursor)}, "fees": [{fees}]}}'.encode())


@pytest.fixture
def load_fees(load_tables: None) -> LoadFees:
    """The function of the page, and its table."""
    sql("CREATE TABLE landing.fees (asin text PRIMARY KEY, fee numeric); SET search_path = landing, public")
    [source] = [one for one in code_blocks(page_text("how-to/call-an-external-api.md"), "python") if "load_fees" in one]
    scope: dict[str, LoadFees] = {}
    exec(source, scope)  # noqa: S102  # our own page
    return scope["load_fees"]


def configure(monkeypatch: pytest.MonkeyPatch, server: ScriptedServer) -> None:
    monkeypatch.setenv("SHOP_BASE_URL", server.url)
    monkeypatch.setenv("SHOP_BACKOFF_BASE_S", "0")
    monkeypatch.setenv("SHOP_BACKOFF_JITTER_S", "0")
    monkeypatch.setenv("DATA_PIPELINE_PRIVATE_HOSTS", server.url.removeprefix("http://"))


def test_example_of_an_api_loads_all_pages_once(load_fees: LoadFees, monkeypatch: pytest.MonkeyPatch) -> None:
    with serve(page("p 2", "A1", "A2"), page(None, "A3")) as server:
        configure(monkeypatch, server)
        assert [load_fees("2026-11-29"), load_fees("2026-11-29")] == [3, None]
    assert [one.path for one in server.requests] == ["/fees?day=2026-11-29", "/fees?day=2026-11-29&cursor=p+2"]
    assert sql("SELECT count(*), min(fee)::text FROM landing.fees") == [(3, "0.1000000000000000055")]


def test_example_of_an_api_leaves_nothing_if_a_page_fails(load_fees: LoadFees, monkeypatch: pytest.MonkeyPatch) -> None:
    with serve(page("2", "A1"), answer(503), answer(404), page("2", "A1"), page(None, "A2")) as server:
        configure(monkeypatch, server)
        with pytest.raises(UnexpectedStatus, match="status 404 after 2 attempts"):
            load_fees("2026-11-29")
        assert (sql("SELECT * FROM landing.fees"), LoadLog.objects.get().status) == ([], "failed")
        assert samples()["etl_retry_total", "shop_fees", "http_503"] == 1
        assert load_fees("2026-11-29") == 2
    assert LoadLog.objects.get().status == "success"


def test_example_of_an_api_ends_if_its_pages_do_not(load_fees: LoadFees, monkeypatch: pytest.MonkeyPatch) -> None:
    with serve(page("2", "A1")) as server:
        configure(monkeypatch, server)
        with pytest.raises(TooManyPages, match="the same cursor again after 2 pages"):
            load_fees("2026-11-29")
    assert (len(server.requests), sql("SELECT * FROM landing.fees")) == (2, [])
