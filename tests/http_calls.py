"""The same call by `HTTPClient` and by `AsyncHTTPClient`, with a clock that only sleeping moves."""

import asyncio
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from data_pipeline.domain.outbound_hosts import HostPattern, HostRules
from data_pipeline.http.async_client import AsyncHTTPClient
from data_pipeline.http.call import Environment
from data_pipeline.http.client import HTTPClient
from data_pipeline.http.connecting import Resolve, resolve_host
from data_pipeline.http.measurements import CallMeasurements
from data_pipeline.http.policy import HTTPPolicy, policy_of
from data_pipeline.http.responses import HTTPResponse

NOW = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
KINDS = ("sync", "async")


def policy_for(url: str, **changes: Any) -> HTTPPolicy:
    """Return the default policy of an integration whose base URL is a local server."""
    pattern = HostPattern.parse(url.partition("://")[2].partition("/")[0])
    assert pattern is not None
    return replace(policy_of("shop"), base_url=url, hosts=HostRules(private=[pattern]), **changes)


@dataclass(kw_only=True)
class Caller:
    """Makes calls, and notes the waits between their attempts."""

    kind: str  # of `KINDS`
    policy: HTTPPolicy
    resolve: Resolve = resolve_host
    real_clock: bool = False
    changes: dict[str, Any] = field(default_factory=dict)  # of the environment
    waits: list[float] = field(default_factory=list)
    measurements: CallMeasurements = field(default_factory=CallMeasurements)
    _now: float = 1000.0

    def request(self, method: str, url: str, **options: Any) -> HTTPResponse:
        if self.kind == "sync":
            with HTTPClient("shop", policy=self.policy, environment=self.environment, sleep=self._sleep) as client:
                return client.request(method, url, **options)
        return asyncio.run(self._request_async(method, url, **options))

    def stream(self, url: str, **options: Any) -> bytes:
        """Return the body of a streamed answer."""
        if self.kind == "sync":
            with (
                HTTPClient("shop", policy=self.policy, environment=self.environment, sleep=self._sleep) as client,
                client.stream("GET", url, **options) as answer,
            ):
                return b"".join(answer)
        return asyncio.run(self._stream_async(url, **options))

    @property
    def environment(self) -> Environment:
        clock = {} if self.real_clock else {"clock": lambda: self._now}
        own: dict[str, Any] = {"now": lambda: NOW, "random": lambda: 0.5, "resolve": self.resolve, **clock}
        return Environment(measurements=self.measurements, **own | self.changes)

    def counted(self) -> dict[str, dict[str, float]]:
        """Return the counters of calls, without durations, by metric and label."""
        counters = self.measurements.drain().get("shop", {})
        return {metric.value: dict(labels) for metric, labels in counters.items() if "seconds" not in metric}

    def _sleep(self, seconds: float) -> None:
        self.waits += [seconds] if seconds else []  # after a redirect there is no wait
        self._now += seconds

    async def _sleep_async(self, seconds: float) -> None:
        self._sleep(seconds)

    async def _request_async(self, method: str, url: str, **options: Any) -> HTTPResponse:
        async with self._async_client() as client:
            return await client.request(method, url, **options)

    async def _stream_async(self, url: str, **options: Any) -> bytes:
        async with self._async_client() as client, client.stream("GET", url, **options) as answer:
            return b"".join([chunk async for chunk in answer])

    def _async_client(self) -> AsyncHTTPClient:
        return AsyncHTTPClient("shop", policy=self.policy, environment=self.environment, sleep=self._sleep_async)
