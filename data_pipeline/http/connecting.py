"""Connections to allowed addresses only, and within the deadline of the call.

The host is resolved once for each connection. Its addresses are checked, and the connection is made to one of them, so
a second answer of the name server has no effect. TLS still verifies the name.

httpcore takes the time limits from the request and passes them on to each operation. A `TimeLimit` also carries the
deadline, so that a peer that sends single bytes cannot extend a call.
"""

import queue
import socket
import threading
from collections.abc import Callable, Iterable, Sequence
from ssl import SSLContext
from typing import Any, Self

from data_pipeline.domain.outbound_hosts import HostRules
from data_pipeline.domain.retry_decisions import Deadline
from data_pipeline.http.extra import anyio, httpcore2
from data_pipeline.http_errors import AddressRefused

Resolve = Callable[[str, int], Sequence[str]]  # takes host and port, returns addresses, raises OSError
_WRITE_BYTES = 16 * 1024  # at a time, so that a slow reader meets the deadline


class TimeLimit(float):
    """The seconds of one operation, and the deadline of its call."""

    deadline: Deadline

    def __new__(cls, seconds: float, deadline: Deadline) -> Self:
        limit = super().__new__(cls, seconds)
        limit.deadline = deadline
        return limit

    def seconds(self, timeout: type[Exception]) -> float:
        """Return the seconds that an operation may take now. Raises `timeout` if the call has ended."""
        left = self.deadline.left_s()
        if left <= 0:
            raise timeout("the deadline of the call")
        return min(float(self), left)


def resolve_host(host: str, port: int) -> Sequence[str]:
    """Return the addresses of a host, in the order of the system."""
    answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in answers))


class CheckedAddresses:
    """Resolves hosts within a time limit. Returns only addresses that may be used."""

    def __init__(self, rules: HostRules, resolve: Resolve) -> None:
        self._rules, self._resolve = rules, resolve

    def of(self, host: str, port: int, limit: TimeLimit) -> Sequence[str]:
        """Return the addresses of a host. Raises `AddressRefused`, and the errors of httpcore."""
        addresses = self._resolve_within(host, port, limit.seconds(httpcore2.ConnectTimeout))
        for address in addresses:
            if (problem := self._rules.address_problem(address, host, port)) is not None:
                raise AddressRefused(host=host, address=address, problem=problem)
        return addresses

    def _resolve_within(self, host: str, port: int, seconds: float) -> Sequence[str]:
        """Resolve in a thread, because the system's resolver has no time limit."""
        answers = queue.SimpleQueue[Sequence[str] | OSError]()

        def resolve() -> None:
            try:
                answers.put(self._resolve(host, port) or OSError("no address"))
            except (OSError, UnicodeError) as error:  # a label of the name may be too long
                answers.put(error if isinstance(error, OSError) else OSError("malformed name"))

        threading.Thread(target=resolve, name=f"resolve {host}", daemon=True).start()
        try:
            answer = answers.get(timeout=seconds)
        except queue.Empty:
            raise httpcore2.ConnectTimeout(f"resolving {host}") from None
        if not isinstance(answer, OSError):
            return answer
        try:
            raise answer  # the pool keeps the context of an error, but not its cause
        except OSError as error:
            raise httpcore2.ConnectError(f"resolving {host}") from error


class PinnedBackend(httpcore2.NetworkBackend):
    """Connects to checked addresses."""

    def __init__(self, addresses: CheckedAddresses) -> None:
        self._addresses, self._backend = addresses, httpcore2.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        """Connect to the first address that answers."""
        limit = _limit(timeout)
        *earlier, last = self._addresses.of(host, port, limit)
        for address in earlier:
            try:
                return self._connect(address, port, limit, local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout):
                continue
        return self._connect(last, port, limit, local_address, socket_options)

    def _connect(self, address: str, port: int, limit: TimeLimit, *options: Any) -> "DeadlineStream":
        seconds = limit.seconds(httpcore2.ConnectTimeout)
        return DeadlineStream(self._backend.connect_tcp(address, port, seconds, *options))


class DeadlineStream(httpcore2.NetworkStream):
    """A connection whose operations end with the call."""

    def __init__(self, stream: httpcore2.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read what has arrived."""
        return self._stream.read(max_bytes, _limit(timeout).seconds(httpcore2.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Write all of the buffer."""
        for part in _parts(buffer):
            self._stream.write(part, _limit(timeout).seconds(httpcore2.WriteTimeout))

    def close(self) -> None:
        """Close the connection."""
        self._stream.close()

    def start_tls(
        self, ssl_context: SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        """Negotiate TLS, which verifies the name of the server."""
        seconds = _limit(timeout).seconds(httpcore2.ConnectTimeout)
        return DeadlineStream(self._stream.start_tls(ssl_context, server_hostname, seconds))

    def get_extra_info(self, info: str) -> Any:
        """Return a fact of the connection."""
        return self._stream.get_extra_info(info)


class AsyncPinnedBackend(httpcore2.AsyncNetworkBackend):
    """As `PinnedBackend`."""

    def __init__(self, addresses: CheckedAddresses) -> None:
        self._addresses, self._backend = addresses, httpcore2.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """Connect to the first address that answers."""
        limit = _limit(timeout)
        *earlier, last = await anyio.to_thread.run_sync(self._addresses.of, host, port, limit, abandon_on_cancel=True)
        for address in earlier:
            try:
                return await self._connect(address, port, limit, local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout):
                continue
        return await self._connect(last, port, limit, local_address, socket_options)

    async def _connect(self, address: str, port: int, limit: TimeLimit, *options: Any) -> "AsyncDeadlineStream":
        seconds = limit.seconds(httpcore2.ConnectTimeout)
        return AsyncDeadlineStream(await self._backend.connect_tcp(address, port, seconds, *options))

    async def sleep(self, seconds: float) -> None:
        """Pause the task."""
        await anyio.sleep(seconds)


class AsyncDeadlineStream(httpcore2.AsyncNetworkStream):
    """As `DeadlineStream`."""

    def __init__(self, stream: httpcore2.AsyncNetworkStream) -> None:
        self._stream = stream

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read what has arrived."""
        return await self._stream.read(max_bytes, _limit(timeout).seconds(httpcore2.ReadTimeout))

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Write all of the buffer."""
        for part in _parts(buffer):
            await self._stream.write(part, _limit(timeout).seconds(httpcore2.WriteTimeout))

    async def aclose(self) -> None:
        """Close the connection."""
        await self._stream.aclose()

    async def start_tls(
        self, ssl_context: SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.AsyncNetworkStream:
        """Negotiate TLS, which verifies the name of the server."""
        seconds = _limit(timeout).seconds(httpcore2.ConnectTimeout)
        return AsyncDeadlineStream(await self._stream.start_tls(ssl_context, server_hostname, seconds))

    def get_extra_info(self, info: str) -> Any:
        """Return a fact of the connection."""
        return self._stream.get_extra_info(info)


def _limit(timeout: float | None) -> TimeLimit:
    if not isinstance(timeout, TimeLimit):
        raise TypeError("a request without the deadline of its call")
    return timeout


def _parts(buffer: bytes) -> Iterable[bytes]:
    return (buffer[start : start + _WRITE_BYTES] for start in range(0, len(buffer), _WRITE_BYTES))
