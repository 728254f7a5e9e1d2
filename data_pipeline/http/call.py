"""One call with its attempts and redirects: everything except sending, which is synchronous or not."""

import random
import ssl
import time
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any, TypedDict

from data_pipeline.domain.outbound_hosts import Origin
from data_pipeline.domain.retry_decisions import (
    IDEMPOTENCY_HEADER,
    Deadline,
    is_repeatable,
    next_wait,
)
from data_pipeline.domain.uris import is_uri, without_query
from data_pipeline.http.connecting import Resolve, TimeLimit, resolve_host
from data_pipeline.http.extra import httpx2
from data_pipeline.http.failures import Failure
from data_pipeline.http.measurements import CALLS, CallMeasurements
from data_pipeline.http.policy import HTTPPolicy
from data_pipeline.http_errors import (
    BadRequest,
    TooManyRedirects,
    UrlRefused,
)
from seeder import __version__
from seeder.texts import Text

_MAX_REDIRECTS = 5
# Another origin gets none of the caller's headers but these: any other one can hold a secret.
_HARMLESS_HEADERS = frozenset({"accept", "accept-encoding", "accept-language", "range", "user-agent"})
_OWN_HEADERS = {"accept-encoding": "gzip, deflate", "user-agent": f"reporting-seeder/{__version__}"}


class CallOptions(TypedDict, total=False):
    """The optional parts of a call."""

    params: Mapping[str, Any]  # of the query
    headers: Mapping[str, str]
    json: Any  # the body
    content: bytes | str  # the body, if it is not JSON
    allowed_statuses: Set[int]  # returned beside 2xx, such as {304}
    idempotency_key: str  # allows retries of any method
    total_timeout_s: float  # instead of the integration's


@cache
def _shared_ssl_context() -> ssl.SSLContext:
    """Load the certificates once for all clients. It takes 0.1 s."""
    return httpx2.create_ssl_context()


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, kw_only=True, slots=True)
class Environment:
    """What calls need from outside, except sleeping. A test replaces it."""

    clock: Callable[[], float] = time.monotonic
    now: Callable[[], datetime] = _utc_now
    random: Callable[[], float] = random.random
    resolve: Resolve = resolve_host
    ssl_context: Callable[[], ssl.SSLContext] = _shared_ssl_context
    measurements: CallMeasurements = CALLS


class Call:
    """The state of one call."""

    def __init__(
        self, policy: HTTPPolicy, environment: Environment, method: str, url: str, options: CallOptions
    ) -> None:
        self.policy, self.environment = policy, environment
        self.method, self.attempts = method.upper(), 0
        self.allowed_statuses = options.get("allowed_statuses", frozenset())
        self.deadline = Deadline.after(options.get("total_timeout_s") or policy.total_s, environment.clock)
        self._options, self._redirects = options, 0
        try:
            self._headers = httpx2.Headers(_OWN_HEADERS | httpx2.Headers(options.get("headers")))
            if key := options.get("idempotency_key"):
                self._headers[IDEMPOTENCY_HEADER] = key
            self._url = self._allowed(httpx2.URL(self._absolute(url)).copy_merge_params(options.get("params") or {}))
        except (httpx2.InvalidURL, UnicodeError, TypeError):
            facts = {"method": self.method, "address": _shown(url), "integration": policy.integration}
            raise BadRequest(**facts, problem=Text("its URL, a parameter or a header is malformed")) from None

    @property
    def facts(self) -> dict[str, Any]:
        """What errors show of the call."""
        attempts = "1 attempt" if self.attempts == 1 else f"{self.attempts} attempts"
        address = without_query(str(self._url))
        return {"method": self.method, "address": address, "integration": self.policy.integration, "attempts": attempts}

    @property
    def request(self) -> Any:
        """The request of the next attempt, for httpx."""
        seconds = {"connect": self.policy.connect_s, "read": self.policy.read_s, "write": self.policy.read_s}
        limits: dict[str, float] = {name: TimeLimit(one, self.deadline) for name, one in seconds.items()}
        limits["pool"] = max(min(self.policy.connect_s, self.deadline.left_s()), 0.001)
        try:
            return httpx2.Request(
                self.method,
                self._url,
                headers=self._headers,
                json=self._options.get("json"),
                content=self._options.get("content"),
                extensions={"timeout": limits},
            )
        except (TypeError, ValueError) as error:
            problem = Text("its body is not JSON or bytes ({problem})", problem=type(error).__name__)
            raise BadRequest(**self.facts, problem=problem) from None

    def wait_after(self, failure: Failure) -> float | None:
        """Return the seconds before the next attempt.

        None if there is none.
        """
        if not failure.is_transient or not is_repeatable(self.method, self._headers):
            return None
        return next_wait(
            self.policy.backoff,
            attempt=self.attempts,
            attempts=self.policy.attempts,
            random=self.environment.random(),
            retry_after_s=failure.retry_after_s,
            left_s=self.deadline.left_s(),
        )

    def redirect(self, location: str) -> None:
        """Follow a redirect. Raises `TooManyRedirects` or `UrlRefused`."""
        self._redirects += 1
        self.attempts -= 1  # the next request belongs to the same one
        if self._redirects > _MAX_REDIRECTS:
            raise TooManyRedirects(**self.facts, limit=_MAX_REDIRECTS)
        earlier = _origin_of(self._url)
        try:
            self._url = self._allowed(self._url.join(location))
        except httpx2.InvalidURL:
            raise UrlRefused(**self.facts, problem=Text("it is redirected to a malformed URL")) from None
        if _origin_of(self._url) != earlier:
            harmless = {name: one for name, one in self._headers.items() if name.lower() in _HARMLESS_HEADERS}
            self._headers = httpx2.Headers(harmless)

    def _absolute(self, url: str) -> str:
        if is_uri(url):
            return url
        if not self.policy.base_url:
            problem = Text("it is relative, and the integration has no BASE_URL")
            raise UrlRefused(address=_shown(url), integration=self.policy.integration, problem=problem)
        return f"{self.policy.base_url.rstrip('/')}/{url.lstrip('/')}" if url else self.policy.base_url

    def _allowed(self, url: Any) -> Any:
        problem = Text("it has credentials") if url.userinfo else self.policy.hosts.problem(_origin_of(url))
        if problem is not None:
            raise UrlRefused(address=_shown(str(url)), integration=self.policy.integration, problem=problem)
        return url


def _origin_of(url: Any) -> Origin:
    return Origin.of(scheme=url.scheme, host=url.raw_host.decode("ascii"), port=url.port)


def _shown(url: str) -> str:
    return without_query(url) if is_uri(url) else url.partition("?")[0].partition("#")[0]
