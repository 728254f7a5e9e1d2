"""The reasons for which an attempt can fail.

They are closed words for metrics, and sentences for people.

The messages of httpx and h11 are not passed on, because they can quote headers.
"""

import socket
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from data_pipeline.http.extra import httpx2
from data_pipeline.http_errors import BadRequest, CallError, CallFailed, UnexpectedStatus
from seeder.texts import Text


@dataclass(kw_only=True, eq=False)
class Failure(Exception):
    """A failed attempt."""

    reason: str  # for metrics: a word, or http_ with a status
    cause: str  # for people
    is_transient: bool = True  # another attempt may succeed
    status_code: int | None = None
    retry_after_s: float | None = None
    error: type[CallError] = CallFailed


def refused_status(status_code: int, retry_after_s: float | None, *, is_transient: bool) -> Failure:
    """Return the failure of an answer with an unexpected status."""
    return Failure(
        reason=f"http_{status_code}",
        cause=Text("status {status}", status=status_code),
        is_transient=is_transient,
        status_code=status_code,
        retry_after_s=retry_after_s,
        error=UnexpectedStatus,
    )


def failure_of(error: BaseException | None) -> Failure | None:
    """Return the failure that an error of httpx means. None for all other errors."""
    if isinstance(error, Failure):
        return error
    if isinstance(error, httpx2.ConnectError):
        return _not_connected(_root_of(error))
    return next((failure() for kind, failure in _FAILURES.items() if isinstance(error, kind)), None)


# The first one that fits.
_FAILURES: Mapping[type[Exception], Callable[[], Failure]] = {
    httpx2.ConnectTimeout: lambda: Failure(reason="timeout", cause=Text("the connection was not made in time")),
    httpx2.PoolTimeout: lambda: Failure(reason="timeout", cause=Text("no connection of the pool became free in time")),
    httpx2.TimeoutException: lambda: Failure(reason="timeout", cause=Text("no data arrived in time")),
    httpx2.LocalProtocolError: lambda: Failure(
        reason="bad_request",
        cause=Text("its method or a header is not valid in HTTP"),
        is_transient=False,
        error=BadRequest,
    ),
    httpx2.RemoteProtocolError: lambda: Failure(
        reason="connection_lost", cause=Text("the response was cut off or is not HTTP")
    ),
    httpx2.TransportError: lambda: Failure(reason="connection_lost", cause=Text("the connection was lost")),
    httpx2.DecodingError: lambda: Failure(
        reason="bad_body", cause=Text("the response cannot be decompressed"), is_transient=False
    ),
}


def _not_connected(root: BaseException) -> Failure:
    match root:
        case ssl.SSLCertVerificationError():
            cause = Text("the server's certificate was refused: {problem}", problem=root.verify_message)
            return Failure(reason="tls", cause=cause, is_transient=False)
        case ssl.SSLError():
            return Failure(reason="tls", cause=f"TLS failed: {root.reason}", is_transient=False)
        case socket.gaierror():
            cause = Text("the host's name was not resolved: {problem}", problem=root.strerror)
            return Failure(reason="dns", cause=cause, is_transient=root.errno == socket.EAI_AGAIN)
        case OSError():
            return Failure(reason="connect", cause=Text("no connection: {problem}", problem=root.strerror or str(root)))
    return Failure(reason="connect", cause=Text("no connection"))


def _root_of(error: BaseException) -> BaseException:
    while (earlier := error.__cause__ or error.__context__) is not None:
        error = earlier
    return error
