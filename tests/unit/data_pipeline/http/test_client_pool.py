"""The connections of one client."""

import pytest

from data_pipeline.http.client import HTTPClient
from data_pipeline.http_errors import CallFailed
from tests.http_calls import Caller, policy_for
from tests.scripted_http import answer, serve


def test_connection_is_used_again() -> None:
    with serve(answer(body=b"1")) as server:
        caller = Caller(kind="sync", policy=policy_for(server.url))
        with HTTPClient("shop", policy=caller.policy, environment=caller.environment) as client:
            assert [client.get("/one").text, client.post("/two").text] == ["1", "1"]
    assert ([one.method for one in server.requests], server.connections) == (["GET", "POST"], 1)


def test_call_waits_for_a_free_connection_only_for_a_time() -> None:
    with serve(answer(body=bytes(1_000_000))) as server:
        policy = policy_for(server.url, max_pool=1, connect_s=0.05, attempts=1)
        caller = Caller(kind="sync", policy=policy)
        with (
            HTTPClient("shop", policy=policy, environment=caller.environment) as client,
            client.stream("GET", "/file"),
            pytest.raises(CallFailed, match="no connection of the pool became free in time"),
        ):
            client.get("/other")
    assert caller.counted()["calls"] == {"timeout": 1, "success": 1}


def test_error_of_the_caller_while_streaming_is_not_changed() -> None:
    with serve(answer(body=b"1")) as server:
        caller = Caller(kind="sync", policy=policy_for(server.url))
        with (
            HTTPClient("shop", policy=caller.policy, environment=caller.environment) as client,
            pytest.raises(KeyError, match="mine"),
            client.stream("GET", "/file"),
        ):
            raise KeyError("mine")
    assert len(server.requests) == 1
