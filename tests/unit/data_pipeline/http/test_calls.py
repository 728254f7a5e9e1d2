"""Calls to a real server, by both clients: attempts, waits, answers and errors."""

import gzip
import socket
from dataclasses import replace
from time import monotonic
from typing import Any, NamedTuple

import pytest

from data_pipeline.domain.outbound_hosts import HostRules
from data_pipeline.http_errors import (
    BadRequest,
    CallError,
    CallFailed,
    DeadlineExceeded,
    NotJson,
    ResponseTooLarge,
    TooManyRedirects,
    UnexpectedStatus,
    UrlRefused,
)
from tests.http_calls import KINDS, Caller, policy_for
from tests.scripted_http import Step, answer, endless, head, raw, reset, serve, silence

pytestmark = pytest.mark.parametrize("kind", KINDS)
OK = answer(body=b"{}")
UNAVAILABLE = answer(503)
CHUNK = b"1000\r\n" + bytes(4096) + b"\r\n"
CHUNKED = head(transfer_encoding="chunked")
TOMORROW, IN_10_S = "Mon, 30 Nov 2026 12:00:00 GMT", "Sun, 29 Nov 2026 12:00:10 GMT"


class Case(NamedTuple):
    steps: tuple[Step, ...]
    waits: tuple[float, ...] = ()
    error: type[CallError] | None = None
    words: str = ""
    method: str = "GET"
    options: dict[str, Any] = {}  # noqa: RUF012  # never changed
    status: int = 200


CASES = {
    "success": Case((OK,)),
    "status_is_retried": Case((UNAVAILABLE, answer(429), OK), (0.75, 1.25)),
    "attempts_are_used_up": Case((UNAVAILABLE,), (0.75, 1.25, 2.25), UnexpectedStatus, "status 503 after 4 attempts"),
    "reset_is_retried": Case((reset, OK), (0.75,)),
    "resets": Case((reset,), (0.75, 1.25, 2.25), CallFailed, "after 4 attempts: the connection was lost"),
    "cut_off_body_is_retried": Case((raw(head(content_length="9") + b"short"), OK), (0.75,)),
    "no_http": Case((raw(b"SSH-2.0\r\n\r\n"),), (0.75, 1.25, 2.25), CallFailed, "cut off or is not HTTP"),
    "retry_after_seconds": Case((answer(503, retry_after="7"), OK), (7.25,)),
    "retry_after_date": Case((answer(503, retry_after=IN_10_S), OK), (10.25,)),
    "retry_after_date_of_wrong_clock": Case(
        (answer(503, retry_after=IN_10_S, date="Sun, 29 Nov 2026 12:00:06 GMT"), OK), (4.25,)
    ),
    "retry_after_past_date": Case((answer(503, retry_after="Sun, 29 Nov 2026 11:00:00 GMT"), OK), (0.25,)),
    "retry_after_nonsense": Case((answer(503, retry_after="soon"), OK), (0.75,)),
    "retry_after_beyond_total": Case(
        (answer(503, retry_after=TOMORROW),), (), UnexpectedStatus, "asks to wait 86400 s; 60 s are left"
    ),
    "waits_end_before_total": Case(
        (answer(503, retry_after="25"),), (25.25, 25.25), UnexpectedStatus, "asks to wait 25 s; 9.5 s are left"
    ),
    "post_is_not_repeated": Case((UNAVAILABLE,), (), UnexpectedStatus, "after 1 attempt", "POST"),
    "post_with_key_is_repeated": Case(
        (UNAVAILABLE, OK), (0.75,), method="POST", options={"idempotency_key": "k1", "json": {"a": 1}}
    ),
    "put_is_repeated": Case((UNAVAILABLE, OK), (0.75,), method="PUT", options={"content": b"text"}),
    "not_found_is_not_repeated": Case((answer(404),), (), UnexpectedStatus, "status 404 after 1 attempt"),
    "allowed_status": Case((answer(304),), options={"allowed_statuses": {304}}, status=304),
    "allowed_status_is_not_repeated": Case((UNAVAILABLE,), options={"allowed_statuses": {503}}, status=503),
    "not_modified_is_an_error": Case((answer(304),), (), UnexpectedStatus, "status 304"),
    "redirect": Case((answer(302, location="/other"), OK)),
    "redirects_without_end": Case((answer(302, location="/x"),), (), TooManyRedirects, "more than 5 times"),
    "redirect_of_post": Case((answer(307, location="/x"),), (), UnexpectedStatus, "status 307", "POST"),
    "redirect_elsewhere": Case(
        (answer(302, location="https://10.0.0.1/latest?t=secret"),), (), UrlRefused, "https://10.0.0.1/latest cannot"
    ),
    "redirect_to_file": Case((answer(302, location="file:///etc/passwd"),), (), UrlRefused, "scheme is 'file'"),
    "too_large": Case((answer(body=b"x" * 1_000_001),), (), ResponseTooLarge, "larger than 1 MB"),
    "endless_body": Case((endless(CHUNK, start=CHUNKED),), (), ResponseTooLarge, "larger than 1 MB"),
    "bomb": Case(
        (answer(body=gzip.compress(bytes(50_000_000)), content_encoding="gzip"),), (), ResponseTooLarge, "than 1 MB"
    ),
    "bad_gzip": Case((answer(body=b"no gzip", content_encoding="gzip"),), (), CallFailed, "cannot be decompressed"),
    "bad_header": Case((OK,), (), BadRequest, "not valid in HTTP", options={"headers": {"x-key": "secret\n"}}),
    "bad_body": Case((OK,), (), BadRequest, "not JSON", method="POST", options={"json": {1, 2}}),
}


@pytest.mark.parametrize("name", CASES)
def test_call_has_these_attempts_and_this_end(name: str, kind: str) -> None:
    case = CASES[name]
    with serve(*case.steps) as server:
        caller = Caller(kind=kind, policy=policy_for(server.url, max_body_mb=1))
        if case.error is None:
            assert caller.request(case.method, "/fees", **case.options).status_code == case.status
        else:
            with pytest.raises(case.error) as raised:
                caller.request(case.method, "/fees", **case.options)
            assert case.words in str(raised.value)
            assert "secret" not in repr([raised.value, raised.value.facts])
    assert caller.waits == list(case.waits)


@pytest.mark.parametrize(
    "step",
    [silence, endless(b"x", seconds=0.02), endless(b"1\r\nx\r\n", seconds=0.02, start=CHUNKED)],
    ids=["silent", "single bytes of the head", "single bytes of the body"],
)
def test_call_ends_with_its_total_timeout(step: Step, kind: str) -> None:
    with serve(step) as server:
        caller = Caller(kind=kind, policy=policy_for(server.url, total_s=0.3), real_clock=True)
        started_at = monotonic()
        with pytest.raises(DeadlineExceeded, match="did not end within 0.3 s, after 1 attempt: no data arrived"):
            caller.request("GET", "/fees")
    assert monotonic() - started_at < 15, "the read timeout is 30 s"


def test_silent_server_is_tried_again_within_the_total(kind: str) -> None:
    with serve(silence, OK) as server:
        caller = Caller(kind=kind, policy=policy_for(server.url, read_s=0.05), real_clock=True)
        assert caller.request("GET", "/fees").status_code == 200
    assert caller.waits == [0.75]


def test_unreachable_server_is_tried_again(kind: str) -> None:
    with socket.socket() as unused:  # its port has no listener, and no other process gets it
        unused.bind(("127.0.0.1", 0))
        caller = Caller(kind=kind, policy=policy_for(f"http://127.0.0.1:{unused.getsockname()[1]}"))
        with pytest.raises(CallFailed, match="after 4 attempts: no connection"):
            caller.request("GET", "/fees")
    assert len(caller.waits) == 3


def test_request_has_query_headers_body_and_key(kind: str) -> None:
    with serve(OK) as server:
        Caller(kind=kind, policy=policy_for(f"{server.url}/v1/")).request(
            "POST", "/fees?a=1", params={"b": "x y"}, headers={"X-Key": "k"}, json={"n": 1}, idempotency_key="once"
        )
    [received] = server.requests
    assert (received.method, received.path, received.body) == ("POST", "/v1/fees?a=1&b=x+y", b'{"n":1}')
    sent = {name: received.headers[name] for name in ("x-key", "idempotency-key", "content-type", "accept-encoding")}
    assert list(sent.values()) == ["k", "once", "application/json", "gzip, deflate"]


def test_redirect_to_another_origin_gets_no_secret(kind: str) -> None:
    with serve(OK) as other, serve(answer(302, location=f"{other.url}/x")) as server:
        policy = policy_for(server.url)
        hosts = HostRules(private=[*policy.hosts.private, *policy_for(other.url).hosts.private])
        caller = Caller(kind=kind, policy=replace(policy, hosts=hosts))
        caller.request("GET", "/fees", headers={"Authorization": "Bearer secret", "X-Key": "secret", "Accept": "a/b"})
    assert "secret" in server.requests[0].headers["authorization"]
    assert "secret" not in str(other.requests[0].headers)
    assert other.requests[0].headers["accept"] == "a/b"


@pytest.mark.parametrize("body", [b"<html>", b"\xff", b"[" * 100_000, b'{"a": NaN}', b""])
def test_answer_that_is_not_json_is_one_error(body: bytes, kind: str) -> None:
    with serve(answer(body=body, content_type="text/html; charset=x")) as server:
        response = Caller(kind=kind, policy=policy_for(server.url)).request("GET", "/fees?key=secret")
    words = rf"/fees is not JSON: .* It has {len(body)} bytes of the type text/html"
    with pytest.raises(NotJson, match=words) as raised:
        response.json()
    assert "secret" not in str(raised.value)


def test_stream_returns_parts_without_limit_of_size(kind: str) -> None:
    body = b"x" * 3_000_000
    with serve(UNAVAILABLE, answer(body=body)) as server:
        caller = Caller(kind=kind, policy=policy_for(server.url, max_body_mb=1))
        assert caller.stream("/file") == body
    assert caller.waits == [0.75]


def test_stream_that_breaks_is_not_repeated(kind: str) -> None:
    with serve(raw(head(content_length="9") + b"short")) as server:
        caller = Caller(kind=kind, policy=policy_for(server.url))
        with pytest.raises(CallFailed, match="after 1 attempt: the response was cut off"):
            caller.stream("/file")


@pytest.mark.parametrize("seconds", [0.0, 0.01])
def test_stream_without_end_ends_with_its_total_timeout(seconds: float, kind: str) -> None:
    with serve(endless(CHUNK, seconds=seconds, start=CHUNKED)) as server:
        caller = Caller(kind=kind, policy=policy_for(server.url), real_clock=True)
        with pytest.raises(DeadlineExceeded, match="within 0.3 s"):
            caller.stream("/file", total_timeout_s=0.3)


def test_relative_address_needs_a_base_url(kind: str) -> None:
    caller = Caller(kind=kind, policy=replace(policy_for("http://127.0.0.1:1"), base_url=""))
    with pytest.raises(UrlRefused, match="/fees cannot be requested for shop: it is relative"):
        caller.request("GET", "/fees?key=secret")
