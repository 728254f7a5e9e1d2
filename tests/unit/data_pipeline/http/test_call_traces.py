"""The log and the counters of calls. Neither has a secret."""

import logging

import pytest

from data_pipeline.http.call_context import calls_of
from data_pipeline.http_errors import CallError
from tests.http_calls import KINDS, Caller, policy_for
from tests.scripted_http import answer, reset, serve

pytestmark = pytest.mark.parametrize("kind", KINDS)


def test_attempts_are_counted_by_outcome(kind: str) -> None:
    with serve(answer(503), reset, answer(302, location="/x"), answer()) as server:
        caller = Caller(kind=kind, policy=policy_for(server.url))
        caller.request("GET", "/fees")
    counted = caller.counted()
    assert counted["calls"] == {"http_503": 1, "connection_lost": 1, "redirect": 1, "success": 1}
    assert counted["call_retries"] == {"http_503": 1, "connection_lost": 1}
    assert counted["call_bucket"] == {"0.05": 4}


def test_allowed_status_is_a_success(kind: str) -> None:
    with serve(answer(304)) as server:
        caller = Caller(kind=kind, policy=policy_for(server.url))
        caller.request("GET", "/keys", allowed_statuses={304})
    assert caller.counted()["calls"] == {"success": 1}


def test_retry_is_logged_with_request_and_integration(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    with serve(answer(503), answer()) as server, calls_of(request_id="r-1"):
        Caller(kind=kind, policy=policy_for(server.url)).request("GET", "/fees")
    [record] = [one for one in caplog.records if one.name == "data_pipeline"]
    assert record.getMessage() == (
        "external_http.retry integration=shop method=GET attempt=1 reason=http_503 wait_seconds=0.750 request_id=r-1"
    )


def test_retry_of_a_load_is_also_logged_and_counted_for_its_source(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    with serve(answer(503), answer()) as server, calls_of(source="fees_h10"):
        caller = Caller(kind=kind, policy=policy_for(server.url))
        caller.request("GET", "/fees")
    [_, record] = [one for one in caplog.records if one.name == "data_pipeline"]
    assert record.getMessage().startswith("etl_http_retry source=fees_h10 integration=shop method=GET attempt=1")
    assert caller.measurements.drain()["fees_h10"] == {"retries": {"http_503": 1}}


def test_no_log_line_and_no_error_has_a_secret(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with serve(answer(503, set_cookie="secret"), answer(401, www_authenticate="secret", body=b"secret")) as server:
        caller = Caller(kind=kind, policy=policy_for(server.url))
        with pytest.raises(CallError) as raised:
            caller.request("GET", "/fees?token=secret", params={"key": "secret"}, headers={"Authorization": "secret"})
    assert str(raised.value) == (f"GET {server.url}/fees of shop was answered with the status 401 after 2 attempts.")
    assert "secret" not in str([raised.value.facts, raised.value.__cause__])
    assert "external_http.retry" in caplog.text
    assert "secret" not in caplog.text


def test_debug_log_of_the_transport_is_off_unless_the_host_sets_it(kind: str) -> None:
    Caller(kind=kind, policy=policy_for("http://127.0.0.1:1"))
    assert not logging.getLogger("httpcore2.http11").isEnabledFor(logging.DEBUG)
