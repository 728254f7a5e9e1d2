"""The pipeline of fees against a real local HTTP server."""

import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.utils import timezone

from data_pipeline import tasks
from data_pipeline.errors import PipelineError, TooManyRejects
from data_pipeline.http_errors import CallError
from data_pipeline.models import LoadLog, LoadReject
from data_pipeline.pipelines.errors import BadIds
from data_pipeline.pipelines.fees_h10 import refresh_fees
from tests.conftest import CompletedCommand, sql
from tests.integration.data_pipeline.metric_samples import samples
from tests.scripted_http import ScriptedServer, Step, answer, reset, serve

pytestmark = pytest.mark.usefixtures("pipeline_tables")
UseApi = Callable[[str, ScriptedServer], None]
FEE = {"sales_price": 20, "referral_fee": 1.5, "fulfilment_fee": "2.25", "currency": "EUR"}


def page(*asins: str, then: str | None = None, **changes: object) -> Step:
    fees = [{"asin": asin, **FEE, "title": "ignored", **changes} for asin in asins]
    return answer(body=json.dumps({"fees": fees, "next": then}).encode())


def fees() -> list[tuple[object, ...]]:
    return sql("SELECT asin, referral_fee::text, fulfilment_fee::text, currency FROM fees ORDER BY asin")


def query(server: ScriptedServer, number: int) -> Mapping[str, list[str]]:
    return parse_qs(urlsplit(server.requests[number].path).query)


def test_set_of_ids_is_requested_once_in_any_order(use_api: UseApi) -> None:
    with serve(page("A1", then="2"), page("B2")) as server:
        use_api("helium10", server)
        first = refresh_fees(["B2", "A1", "B2"])
        assert len(server.requests) == 2
        again = refresh_fees(["A1", "B2"])
        assert (len(server.requests), first.is_skipped, again.is_skipped) == (2, False, True)
    assert query(server, 1) == {"asin": ["A1", "B2"], "cursor": ["2"]}
    assert fees() == [("A1", "1.5000", "2.2500", "EUR"), ("B2", "1.5000", "2.2500", "EUR")]
    load = LoadLog.objects.get()
    assert (load.source, load.status, load.rows_in, load.rows_inserted) == ("fees_h10", "skipped", 2, 2)
    meta = load.payload_meta
    assert (meta["asin_count"], meta["source_uri"], meta["asin_missing"]) == (2, f"{server.url}/v1/fees", 0)


def test_another_set_or_edition_is_requested_again(use_api: UseApi) -> None:
    with serve(page("A1"), page("A1", "B2"), page("A1", referral_fee=2)) as server:
        use_api("helium10", server)
        for ids, edition in (["A1"], ""), (["A1", "B2"], ""), (["A1"], "2026-11-30"):
            refresh_fees(ids, edition=edition)
    assert [load.rows_updated for load in LoadLog.objects.order_by("id")] == [0, 0, 1]
    assert fees() == [("A1", "2.0000", "2.2500", "EUR"), ("B2", "1.5000", "2.2500", "EUR")]


def test_large_set_is_requested_in_parts(use_api: UseApi) -> None:
    ids = [f"A{number:03}" for number in range(120)]
    with serve(page(*ids[:50]), page(*ids[50:100]), page(*ids[100:])) as server:
        use_api("helium10", server)
        assert refresh_fees(ids).counts.rows_inserted == 120
    assert [len(query(server, number)["asin"]) for number in range(3)] == [50, 50, 20]


def test_articles_without_a_fee_are_named(use_api: UseApi) -> None:
    with serve(page("A1")) as server:
        use_api("helium10", server)
        refresh_fees(["A1", "B2", "C3"])
    meta = LoadLog.objects.get().payload_meta
    assert (meta["asin_missing"], meta["asins_missing"]) == (2, ["B2", "C3"])


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ([answer(body=b"<html>")], "helium10 from http://.*/v1/fees is not JSON"),
        ([answer(body=b"[1]")], "no object with a list `fees` and a text or null `next` from http"),
        ([answer(body=b'{"fees": {}, "next": null}')], "no object with a list `fees`"),
        ([page(then=None)], "no fee of 2 articles from http"),
        ([page("A1", then="2"), answer(404)], "status 404 after 1 attempt"),
        ([page("A1", then="2"), reset], "failed after 4 attempts"),
        ([page("A1", then="2")], "the same cursor again after 2 pages"),
        ([page("A1", then=f"p{number}") for number in range(101)], "another page after 100 pages"),
        ([page("A1", "A1")], r"1 of 2 records were rejected.* is record 2: .*\(A1\)"),
        ([page("A1", "X9")], "is record 2: asin must be one of the requested ids"),
        ([page("A1", currency=None)], "is record 1: currency must be an ISO 4217 code"),
        ([page("A1", fulfilment_fee=-1)], "is record 1: fulfilment_fee must be a non-negative Decimal"),
        ([answer(body=b'{"fees": ["A1"], "next": null}')], "is record 1: record must be an object with named fields"),
        ([answer(body=b'{"fees": [{"asin": "A1"}], "next": null}')], "is record 1: sales_price must be given"),
    ],
)
def test_bad_answer_is_one_line_and_leaves_nothing(use_api: UseApi, steps: list[Step], message: str) -> None:
    with serve(*steps) as server:
        use_api("helium10", server)
        with pytest.raises(PipelineError, match=message) as raised:
            refresh_fees(["A1", "B2"])
    assert "\n" not in str(raised.value)
    assert (fees(), LoadLog.objects.get().status) == ([], "failed")
    with serve(page("A1", "B2")) as server:
        use_api("helium10", server)
        assert refresh_fees(["A1", "B2"]).counts.rows_inserted == 2
    assert LoadLog.objects.get().attempts == 2


def test_failed_set_is_loaded_by_the_next_run(use_api: UseApi) -> None:
    with serve(page("A1", then="2"), answer(404), page("A1")) as server:
        use_api("helium10", server)
        with pytest.raises(CallError):
            refresh_fees(["A1"])
        assert refresh_fees(["A1"]).counts.rows_inserted == 1
    assert (LoadLog.objects.get().status, LoadLog.objects.get().attempts) == ("success", 2)


def test_allowed_rejects_are_kept_as_json(use_api: UseApi) -> None:
    with serve(page("A1", "A1")) as server:
        use_api("helium10", server)
        counts = refresh_fees(["A1"], max_rejects=1).counts
    assert (counts.rows_inserted, counts.rows_rejected) == (1, 1)
    assert json.loads(bytes(LoadReject.objects.get().raw))["asin"] == "A1"


@pytest.mark.parametrize(
    ("ids", "message"),
    [([], "none is given"), ([""], "'' is not a text"), ([" A"], "without spaces"), (["A\n"], "is not"), ([7], "7 is")],
)
def test_bad_ids_are_refused_without_a_load(ids: list[str], message: str) -> None:
    with pytest.raises(BadIds, match=message):
        refresh_fees(ids)
    assert not LoadLog.objects.exists()


def test_run_skip_and_retry_are_counted(use_api: UseApi) -> None:
    with serve(answer(503), page("A1")) as server:
        use_api("helium10", server)
        refresh_fees(["A1"])
        refresh_fees(["A1"])
    found = samples()
    assert found["etl_runs_total", "fees_h10", "success"] == found["etl_runs_total", "fees_h10", "skipped"] == 1
    assert found["etl_processed_records_total", "fees_h10"] == 1
    assert found["etl_retry_total", "fees_h10", "http_503"] == 1


def test_task_loads_all_known_articles_once_a_day(use_api: UseApi) -> None:
    sql("INSERT INTO fees VALUES ('A1', 9, 1, 1, 'EUR'), ('B2', 9, 1, 1, 'EUR')")
    with serve(page("A1", "B2")) as server:
        use_api("helium10", server)
        assert tasks.fees_h10_refresh()["rowsUpserted"] == 2
        assert tasks.fees_h10_refresh()["status"] == "skipped"
        assert query(server, 0)["asin"] == ["A1", "B2"]
    today = timezone.localdate()
    assert LoadLog.objects.get().payload_meta["edition"] in {str(today), str(today - timedelta(days=1))}


def test_command_prints_the_outcome_and_its_exit_code(use_api: UseApi, manage: Callable[..., CompletedCommand]) -> None:
    with serve(page("A1"), answer(404)) as server:
        use_api("helium10", server)
        loaded = manage("refresh_fees", "A1")
        assert loaded.lines[0] == "public.fees: 1 record, 1 inserted (load 1)"
        assert manage("refresh_fees", "A1").lines == ["fees_h10: loaded before, so nothing was changed"]
        failed = manage("refresh_fees", "B2")
    assert (loaded.exit_code, failed.exit_code, len(failed.err.splitlines())) == (0, 1, 1)
    assert manage("refresh_fees", " ").exit_code == 2


def test_too_many_rejects_are_kept(use_api: UseApi) -> None:
    with serve(page("A1", currency="EURO")) as server:
        use_api("helium10", server)
        with pytest.raises(TooManyRejects):
            refresh_fees(["A1"])
    assert LoadReject.objects.get().problems[0]["value"] == "EURO"
