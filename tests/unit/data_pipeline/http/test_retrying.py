"""`@retry` and `@aretry`: attempts, waits, log lines and counters."""

import asyncio
from collections.abc import Callable

import pytest

from data_pipeline.http.call_context import calls_of
from data_pipeline.http.measurements import CallMeasurements
from data_pipeline.http.retrying import RetryConfig, aretry, retry
from tests.http_calls import KINDS

pytestmark = pytest.mark.parametrize("kind", KINDS)


class Operation:
    """Fails with these errors, then returns 7."""

    def __init__(self, *errors: Exception) -> None:
        self.errors, self.calls = list(errors), 0
        self.waits, self.measurements, self.saves = list[float](), CallMeasurements(), list[str]()
        self.measurements.save = lambda: self.saves.append("sync")
        self.measurements.save_in_thread = lambda: self.saves.append("async")

    def run(self, kind: str, config: RetryConfig) -> int:
        if kind == "sync":
            own = retry(config, sleep=self.waits.append, random=lambda: 0.5, measurements=self.measurements)
            return own(self._call)()

        async def sleep(seconds: float) -> None:
            self.waits.append(seconds)

        async def call() -> int:
            return self._call()

        async def repeated() -> int:
            return await aretry(config, sleep=sleep, random=lambda: 0.5, measurements=self.measurements)(call)()

        return asyncio.run(repeated())

    def _call(self) -> int:
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return 7


def test_operation_is_repeated_until_it_succeeds(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    operation = Operation(ConnectionResetError("secret"), TimeoutError("secret"))
    with calls_of(request_id="r-1", source="fees"):
        assert operation.run(kind, RetryConfig("fetch")) == 7
    assert operation.waits == [0.75, 1.25]
    assert [one.getMessage() for one in caplog.records if one.name == "data_pipeline"] == [
        f"operation_retried operation=fetch {facts} request_id=r-1 source=fees"
        for facts in (
            "attempt=1 reason=ConnectionResetError wait_seconds=0.750",
            "attempt=2 reason=TimeoutError wait_seconds=1.250",
        )
    ]
    assert operation.measurements.drain() == {
        "fetch": {"operation_retries": {"": 2}, "sleep_seconds": {"": 2.0}, "sleep_bucket": {"1": 1, "2": 1}}
    }
    assert operation.saves == [kind]


@pytest.mark.parametrize(
    ("config", "calls"),
    [
        (RetryConfig("fetch", attempts=2), 2),
        (RetryConfig("fetch", attempts=1), 1),
        (RetryConfig("fetch", give_up=lambda error: "for good" in str(error)), 1),
        (RetryConfig("fetch", on=(ValueError,)), 1),
    ],
    ids=["attempts", "one attempt", "give_up", "other error"],
)
def test_last_error_is_raised(config: RetryConfig, calls: int, kind: str) -> None:
    operation = Operation(ConnectionError("for good"), ConnectionError("for good"))
    with pytest.raises(ConnectionError):
        operation.run(kind, config)
    assert operation.calls == calls


def test_operation_without_an_error_leaves_no_trace(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    operation = Operation()
    operation.run(kind, RetryConfig("fetch"))
    assert (operation.measurements.drain(), operation.saves, caplog.records) == ({}, [], [])


def test_config_without_an_attempt_is_refused(kind: str) -> None:
    with pytest.raises(ValueError, match="attempts must be at least 1"):
        Operation().run(kind, RetryConfig("fetch", attempts=0))


def test_decorated_function_keeps_its_name(kind: str) -> None:
    decorators: dict[str, Callable[..., object]] = {"sync": retry, "async": aretry}

    def fetch() -> None:
        """Fetch."""

    decorated = decorators[kind](RetryConfig("fetch"))(fetch)  # type: ignore[operator]
    assert (decorated.__name__, decorated.__doc__) == ("fetch", "Fetch.")
