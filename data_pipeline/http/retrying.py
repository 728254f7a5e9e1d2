"""`@retry` and `@aretry`: repeat an operation that failed, with backoff, log lines and metrics."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import wraps
from itertools import count
from typing import ParamSpec, TypeVar

from data_pipeline.domain.metrics_values import SLEEP_BOUNDS, Counted
from data_pipeline.domain.retry_decisions import Backoff, next_wait
from data_pipeline.http import call_context
from data_pipeline.http.measurements import CALLS, CallMeasurements
from data_pipeline.structured_log import WARNING, log_event

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class RetryConfig:
    """When an operation is attempted again, and after which wait."""

    operation: str  # label of the metrics: a fixed word
    attempts: int = 4  # with the first one
    base_s: float = 0.5
    max_s: float = 30.0
    jitter_s: float = 0.5
    on: tuple[type[Exception], ...] = (ConnectionError, TimeoutError)
    give_up: Callable[[Exception], bool] | None = None  # True for an error that no attempt can help

    def __post_init__(self) -> None:
        if self.attempts < 1:
            raise ValueError(f"attempts must be at least 1, not {self.attempts}")

    def wait_after(self, error: Exception, attempt: int, random: float) -> float | None:
        """Return the seconds to wait after an attempt.

        Attempts are counted from 1. None after the last one.
        """
        if self.give_up is not None and self.give_up(error):
            return None
        backoff = Backoff(base_s=self.base_s, max_s=self.max_s, jitter_s=self.jitter_s)
        return next_wait(backoff, attempt=attempt, attempts=self.attempts, random=random)


class _Repetition:
    """The waits of one operation, and their traces."""

    def __init__(self, config: RetryConfig, measurements: CallMeasurements, random: Callable[[], float]) -> None:
        self._config, self._measurements, self._random = config, measurements, random
        self.has_repeated = False

    def wait_after(self, error: Exception, attempt: int) -> float | None:
        wait = self._config.wait_after(error, attempt, self._random())
        if wait is None:
            return None
        operation, self.has_repeated = self._config.operation, True
        self._measurements.count(operation, Counted.OPERATION_RETRIES)
        self._measurements.observe(
            operation, wait, total=Counted.SLEEP_SECONDS, bucket=Counted.SLEEP_BUCKET, bounds=SLEEP_BOUNDS
        )
        log_event(
            WARNING,
            "operation_retried",
            operation=operation,
            attempt=attempt,
            reason=type(error).__name__,  # a message can quote data
            wait_seconds=round(wait, 3),
            request_id=call_context.current_request_id(),
            source=call_context.current_source(),
        )
        return wait


def retry(
    config: RetryConfig,
    *,
    sleep: Callable[[float], None] = time.sleep,
    random: Callable[[], float] = random.random,
    measurements: CallMeasurements = CALLS,
) -> Callable[[Callable[Parameters, Result]], Callable[Parameters, Result]]:
    """Return a decorator that repeats a function. The last error is raised."""

    def decorate(function: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
        @wraps(function)
        def repeat(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
            repetition = _Repetition(config, measurements, random)
            try:
                for attempt in count(1):
                    try:
                        return function(*args, **kwargs)
                    except config.on as error:
                        if (wait := repetition.wait_after(error, attempt)) is None:
                            raise
                    sleep(wait)
                raise AssertionError("count() does not end")
            finally:
                if repetition.has_repeated:
                    measurements.save()

        return repeat

    return decorate


def aretry(
    config: RetryConfig,
    *,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    random: Callable[[], float] = random.random,
    measurements: CallMeasurements = CALLS,
) -> Callable[[Callable[Parameters, Awaitable[Result]]], Callable[Parameters, Awaitable[Result]]]:
    """Return a decorator that repeats a coroutine function, as `retry`."""

    def decorate(function: Callable[Parameters, Awaitable[Result]]) -> Callable[Parameters, Awaitable[Result]]:
        @wraps(function)
        async def repeat(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
            repetition = _Repetition(config, measurements, random)
            try:
                for attempt in count(1):
                    try:
                        return await function(*args, **kwargs)
                    except config.on as error:
                        if (wait := repetition.wait_after(error, attempt)) is None:
                            raise
                    await sleep(wait)
                raise AssertionError("count() does not end")
            finally:
                if repetition.has_repeated:
                    await asyncio.to_thread(measurements.save_in_thread)

        return repeat

    return decorate
