"""`AsyncHTTPClient`: the same as `HTTPClient` for asyncio and trio."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import aclosing, asynccontextmanager
from typing import Any, Self, Unpack

from data_pipeline.http.attempt import Attempt
from data_pipeline.http.call import Call, CallOptions, Environment
from data_pipeline.http.connecting import AsyncPinnedBackend, CheckedAddresses
from data_pipeline.http.extra import anyio, httpcore2, httpx2
from data_pipeline.http.policy import HTTPPolicy, policy_of
from data_pipeline.http.responses import HTTPResponse


class AsyncStreamedResponse:
    """An answer whose body is read once, in parts."""

    def __init__(self, response: Any) -> None:
        self._response = response
        self.status_code: int = response.status_code
        self.headers: Mapping[str, str] = response.headers

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._response.aiter_bytes():
            yield chunk


class AsyncHTTPClient:
    """Calls one integration. Close it, or use it in an `async with` block, to save its metrics."""

    def __init__(
        self,
        integration: str,
        *,
        policy: HTTPPolicy | None = None,
        environment: Environment | None = None,
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
    ) -> None:
        self._policy = policy or policy_of(integration)
        self._environment = environment or Environment()
        self._sleep = sleep
        self._transport = _Transport(self._policy, self._environment)

    async def request(self, method: str, url: str, **options: Unpack[CallOptions]) -> HTTPResponse:
        """Send a request, and return the complete answer, as `HTTPClient.request`."""
        call = await self._call(method, url, options)
        while True:
            with Attempt(call) as attempt:
                async with aclosing(await self._transport.handle_async_request(call.request)) as response:
                    attempt.receive(response)
                    async for chunk in response.aiter_bytes():
                        attempt.take(chunk)
                    return attempt.response()
            await self._sleep(attempt.wait_s)

    async def get(self, url: str, **options: Unpack[CallOptions]) -> HTTPResponse:
        """Send a GET request, as `request`."""
        return await self.request("GET", url, **options)

    async def post(self, url: str, **options: Unpack[CallOptions]) -> HTTPResponse:
        """Send a POST request, as `request`. It is repeated only with an `idempotency_key`."""
        return await self.request("POST", url, **options)

    @asynccontextmanager
    async def stream(
        self, method: str, url: str, **options: Unpack[CallOptions]
    ) -> AsyncIterator[AsyncStreamedResponse]:
        """Send a request, and yield the answer before its body, as `HTTPClient.stream`."""
        call = await self._call(method, url, options)
        while True:
            with Attempt(call) as attempt:
                async with aclosing(await self._transport.handle_async_request(call.request)) as response:
                    attempt.receive(response)
                    attempt.hand_out()
                    yield AsyncStreamedResponse(response)
                    return
            await self._sleep(attempt.wait_s)

    async def aclose(self) -> None:
        """Close the connections, and save the metrics."""
        await self._transport.aclose()
        await anyio.to_thread.run_sync(self._environment.measurements.save_in_thread)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def _call(self, method: str, url: str, options: CallOptions) -> Call:
        if self._environment.measurements.is_due():
            await anyio.to_thread.run_sync(self._environment.measurements.save_in_thread)
        return Call(self._policy, self._environment, method, url, options)


class _Transport(httpx2.AsyncHTTPTransport):
    """As that of `HTTPClient`."""

    def __init__(self, policy: HTTPPolicy, environment: Environment) -> None:
        self._pool = httpcore2.AsyncConnectionPool(
            ssl_context=environment.ssl_context(),
            max_connections=policy.max_pool,
            network_backend=AsyncPinnedBackend(CheckedAddresses(policy.hosts, environment.resolve)),
        )
