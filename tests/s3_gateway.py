"""A gateway in front of the object storage, which can break answers as networks and busy servers do."""

import http.client
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any
from urllib.parse import urlsplit

_SENT_AT_ONCE = 1 << 16  # bytes
_TRICKLE_SECONDS = 0.1  # between two bytes
_TRICKLED_BYTES = 60  # then the connection is closed
_NOT_FORWARDED = {"connection", "transfer-encoding", "keep-alive"}


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What happens instead of one answer. Without a status, the true answer begins."""

    method: str = "GET"
    status: int = 0
    code: str = ""  # of S3, in the body of an error
    body: bytes = b""  # otherwise
    headers: Mapping[str, str] = field(default_factory=dict)
    ends_after: int | None = None  # bytes of the body; then the connection is closed
    stalls_after: int | None = None  # bytes of the body; then nothing follows
    trickles_after: int | None = None  # bytes of the body; then a byte comes now and then
    meanwhile: Callable[[], object] | None = None  # called at that byte
    loses_answer: bool = False  # the request is carried out, and the connection closed


class Gateway:
    """The gateway's address, its faults, and what it has seen."""

    def __init__(self, endpoint_url: str) -> None:
        self.faults: list[Fault] = []  # each happens once, in this order
        self.requests: list[str] = []  # such as `GET /bucket/key`
        self.headers: list[Mapping[str, str]] = []
        self.is_closing = Event()
        target = urlsplit(endpoint_url).netloc
        handler = type("Handler", (_Handler,), {"gateway": self, "target": target})
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.server.daemon_threads = True
        self.endpoint_url = f"http://127.0.0.1:{self.server.server_port}"

    def take_fault(self, method: str) -> Fault | None:
        for fault in self.faults:
            if fault.method == method:
                self.faults.remove(fault)
                return fault
        return None


@contextmanager
def open_gateway(endpoint_url: str) -> Iterator[Gateway]:
    gateway = Gateway(endpoint_url)
    thread = Thread(target=gateway.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield gateway
    gateway.is_closing.set()
    gateway.server.shutdown()
    gateway.server.server_close()
    thread.join()


class _Handler(BaseHTTPRequestHandler):
    gateway: Gateway
    target: str
    protocol_version = "HTTP/1.1"

    def _handle(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.gateway.requests.append(f"{self.command} {self.path}")
        self.gateway.headers.append({name.lower(): value for name, value in self.headers.items()})
        fault = self.gateway.take_fault(self.command)
        if fault and fault.status:
            self._answer(fault)
            return
        connection = http.client.HTTPConnection(self.target, timeout=60)
        try:
            connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                connection.putheader(name, value)
            with suppress(BrokenPipeError):  # the server answers a refused write before it has read the body
                connection.endheaders(body or None)
            answer = connection.getresponse()
            if fault and fault.loses_answer:
                self.close_connection = True
                return
            self._forward(answer, fault)
        finally:
            connection.close()

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _handle  # noqa: N815  # as http.server calls them

    def _answer(self, fault: Fault) -> None:
        error = f"<Error><Code>{fault.code}</Code><Message>made by a test</Message></Error>" if fault.code else ""
        body = b"" if self.command == "HEAD" else error.encode() or fault.body
        self.send_response(fault.status)
        for name, value in {"Content-Length": str(len(body)), **fault.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _forward(self, answer: http.client.HTTPResponse, fault: Fault | None) -> None:
        self.send_response_only(answer.status, answer.reason)
        has_length = answer.getheader("Content-Length") is not None
        body = b"" if has_length else answer.read()
        for name, value in answer.getheaders():
            if name.lower() not in _NOT_FORWARDED:
                self.send_header(name, value)
        if not has_length and answer.status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        with suppress(OSError):  # the client may close
            if not has_length:
                self.wfile.write(body)
            elif self.command != "HEAD":
                self._forward_body(answer, fault)

    def _forward_body(self, answer: http.client.HTTPResponse, fault: Fault | None) -> None:
        limits = (fault.ends_after, fault.stalls_after, fault.trickles_after) if fault else ()
        limit = next((one for one in limits if one is not None), None)
        sent = 0
        while limit is None or sent < limit:
            piece = answer.read(_SENT_AT_ONCE if limit is None else min(_SENT_AT_ONCE, limit - sent))
            if not piece:
                return
            self.wfile.write(piece)
            sent += len(piece)
        self.wfile.flush()
        if fault and fault.meanwhile:
            fault.meanwhile()
        if fault and fault.stalls_after is not None:
            self.gateway.is_closing.wait(60)
        if fault and fault.trickles_after is not None:
            for _ in range(_TRICKLED_BYTES):
                self.gateway.is_closing.wait(_TRICKLE_SECONDS)
                self.wfile.write(answer.read(1))
        self.close_connection = True

    def log_message(self, *_: Any) -> None:
        """Log nothing."""
