"""`HTTPClient`: calls to another system with time limits, retries and metrics."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any, Self, Unpack

from data_pipeline.http.attempt import Attempt
from data_pipeline.http.call import Call, CallOptions, Environment
from data_pipeline.http.connecting import CheckedAddresses, PinnedBackend
from data_pipeline.http.extra import httpcore2, httpx2
from data_pipeline.http.policy import HTTPPolicy, policy_of
from data_pipeline.http.responses import HTTPResponse


class StreamedResponse:
    """An answer whose body is read once, in parts."""

    def __init__(self, response: Any) -> None:
        self._response = response
        self.status_code: int = response.status_code
        self.headers: Mapping[str, str] = response.headers

    def __iter__(self) -> Iterator[bytes]:
        yield from self._response.iter_bytes()


class HTTPClient:
    """Calls one integration. Safe for threads. Close it, or use it in a `with` block, to save its metrics."""

    def __init__(
        self,
        integration: str,
        *,
        policy: HTTPPolicy | None = None,
        environment: Environment | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._policy = policy or policy_of(integration)
        self._environment = environment or Environment()
        self._sleep = sleep
        self._transport = _Transport(self._policy, self._environment)

    def request(self, method: str, url: str, **options: Unpack[CallOptions]) -> HTTPResponse:
        """Send a request, and return the complete answer.

        `url` is a path below the integration's `BASE_URL`, or absolute. `CallOptions` has the options. Raises
        `CallError`.
        """
        call = self._call(method, url, options)
        while True:
            with Attempt(call) as attempt, closing(self._transport.handle_request(call.request)) as response:
                attempt.receive(response)
                for chunk in response.iter_bytes():
                    attempt.take(chunk)
                return attempt.response()
            self._sleep(attempt.wait_s)

    def get(self, url: str, **options: Unpack[CallOptions]) -> HTTPResponse:
        """Send a GET request, as `request`."""
        return self.request("GET", url, **options)

    def post(self, url: str, **options: Unpack[CallOptions]) -> HTTPResponse:
        """Send a POST request, as `request`. It is repeated only with an `idempotency_key`."""
        return self.request("POST", url, **options)

    @contextmanager
    def stream(self, method: str, url: str, **options: Unpack[CallOptions]) -> Iterator[StreamedResponse]:
        """Send a request, and yield the answer before its body, as `request`.

        Once the answer is yielded, nothing is repeated. The time limits also hold while the body is read.
        """
        call = self._call(method, url, options)
        while True:
            with Attempt(call) as attempt, closing(self._transport.handle_request(call.request)) as response:
                attempt.receive(response)
                attempt.hand_out()
                yield StreamedResponse(response)
                return
            self._sleep(attempt.wait_s)

    def close(self) -> None:
        """Close the connections, and save the metrics."""
        self._transport.close()
        self._environment.measurements.save()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _call(self, method: str, url: str, options: CallOptions) -> Call:
        if self._environment.measurements.is_due():
            self._environment.measurements.save()
        return Call(self._policy, self._environment, method, url, options)


class _Transport(httpx2.HTTPTransport):
    """httpx's transport with a pool of pinned connections. It uses no proxy, no cookies and no .netrc."""

    def __init__(self, policy: HTTPPolicy, environment: Environment) -> None:
        # The base class has no parameter for the backend of its pool.
        self._pool = httpcore2.ConnectionPool(
            ssl_context=environment.ssl_context(),
            max_connections=policy.max_pool,
            network_backend=PinnedBackend(CheckedAddresses(policy.hosts, environment.resolve)),
        )
