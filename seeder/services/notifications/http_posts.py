"""Sends one HTTP request. The standard library suffices: no redirect is followed, and nothing is kept alive."""

import socket
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from threading import Event, Timer
from urllib.parse import urlsplit

from seeder.domain.plain_numbers import parse_whole_number


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """The answer of a receiver."""

    status: int
    retry_after: timedelta = timedelta()


class NoAnswer(Exception):
    """The receiver did not answer in time. The text names the cause, without the address."""


def post(url: str, body: bytes, headers: Mapping[str, str], *, timeout: timedelta) -> Answer:
    """Send JSON. `timeout` limits the entire attempt. Raises `NoAnswer`."""
    parts, seconds = urlsplit(url), timeout.total_seconds()
    headers = {"content-type": "application/json", "user-agent": "reporting-seeder", "connection": "close", **headers}
    connect = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = connect(parts.hostname or "", parts.port, timeout=seconds)
    # The timeout of the connection limits each read, so a slow receiver could answer byte by byte for hours.
    is_over = Event()
    timer = Timer(seconds, _shut_down, [connection, is_over])
    timer.daemon = True
    timer.start()
    try:
        connection.connect()
        if not is_over.is_set():  # from here on, its end shuts the connection down
            connection.request("POST", parts._replace(scheme="", netloc="").geturl() or "/", body, headers)
            response = connection.getresponse()
        if is_over.is_set():  # http.client takes the end of the connection for that of the headers
            raise NoAnswer("TimeoutError")
        return Answer(status=response.status, retry_after=_seconds(response.headers["retry-after"]))
    except (OSError, HTTPException, ValueError) as error:
        cause = f": {error.strerror}" if isinstance(error, OSError) and error.strerror else ""
        raise NoAnswer(f"{type(error).__name__}{cause}") from error
    finally:
        timer.cancel()
        connection.close()


def _shut_down(connection: HTTPConnection, is_over: Event) -> None:
    is_over.set()
    if (peer := connection.sock) is not None:
        with suppress(OSError):
            socket.socket.shutdown(peer, socket.SHUT_RDWR)  # not TLS's own, which would change its state meanwhile


def _seconds(value: str | None) -> timedelta:
    """Read the seconds of a header. Its other form, a date, is ignored."""
    with suppress(ValueError, OverflowError):
        return timedelta(seconds=parse_whole_number((value or "0").strip()))
    return timedelta()
