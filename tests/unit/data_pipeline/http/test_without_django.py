"""Calls and retries in a process without Django, such as a job that copies objects."""

import os
import subprocess
import sys

from tests.conftest import CHECKOUT
from tests.scripted_http import answer, serve

_CALL = """
import logging, sys
sys.modules["django"] = None  # its import fails
logging.basicConfig(format="%(message)s", stream=sys.stdout)
from data_pipeline import HTTPClient, RetryConfig, retry
with HTTPClient("shop") as client:
    print(retry(RetryConfig("fetch"))(client.get)("/fees").json())
"""
_WITHOUT_HTTPX = """
import sys
sys.modules["httpx2"] = None
from data_pipeline import RetryConfig, aretry, retry
try:
    from data_pipeline import HTTPClient
except ImportError as error:
    print(error)
"""


def run(code: str, **variables: str) -> str:
    command = [sys.executable, "-c", code]
    return subprocess.check_output(command, text=True, cwd=CHECKOUT, env=os.environ | variables)


def test_call_is_made_with_settings_of_the_environment() -> None:
    with serve(answer(503), answer(body=b'{"a": 1}')) as server:
        output = run(
            _CALL,
            SHOP_BASE_URL=server.url,
            SHOP_BACKOFF_BASE_S="0",
            SHOP_BACKOFF_JITTER_S="0",
            DATA_PIPELINE_PRIVATE_HOSTS=server.url.removeprefix("http://"),
        )
    assert output.splitlines() == [
        "external_http.retry integration=shop method=GET attempt=1 reason=http_503 wait_seconds=0.000",
        "{'a': 1}",
    ]


def test_missing_extra_is_one_line() -> None:
    assert run(_WITHOUT_HTTPX) == "An HTTP client needs httpx2: pip install 'reporting-seeder[http]'\n"
