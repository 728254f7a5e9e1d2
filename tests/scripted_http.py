"""A real HTTP server whose answers a test scripts, one for each request."""

import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

Step = Callable[[socket.socket], bool]  # sends an answer, returns whether the connection stays open


@dataclass(kw_only=True)
class Received:
    """One request."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(kw_only=True)
class ScriptedServer:
    """The last step is repeated."""

    port: int
    scheme: str
    steps: Sequence[Step]
    requests: list[Received] = field(default_factory=list)
    connections: int = 0

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}"


@contextmanager
def serve(*steps: Step, tls: ssl.SSLContext | None = None) -> Iterator[ScriptedServer]:
    """Serve on a free port of this machine. Connections that are open at the end are closed."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = ScriptedServer(port=listener.getsockname()[1], scheme="https" if tls else "http", steps=steps)
        accepted: list[socket.socket] = []

        def accept() -> None:
            with suppress(OSError):  # the listener is closed
                while True:
                    peer, _ = listener.accept()
                    accepted.append(peer)
                    server.connections += 1
                    threading.Thread(target=_answer, args=(server, peer, tls), daemon=True).start()

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            for peer in accepted:
                with suppress(OSError):
                    peer.shutdown(socket.SHUT_RDWR)
            thread.join()


def _answer(server: ScriptedServer, peer: socket.socket, tls: ssl.SSLContext | None) -> None:
    with suppress(OSError), peer:
        connection = tls.wrap_socket(peer, server_side=True) if tls else peer
        with connection, connection.makefile("rb") as lines:
            while (first := lines.readline()) != b"":
                method, path, _ = first.decode().split()
                fields = iter(lambda: lines.readline().decode().rstrip(), "")
                headers = {name.lower(): value.strip() for name, _, value in (one.partition(":") for one in fields)}
                body = lines.read(int(headers.get("content-length", 0)))
                step = server.steps[min(len(server.requests), len(server.steps) - 1)]
                server.requests.append(Received(method=method, path=path, headers=headers, body=body))
                if not step(connection):
                    return


def answer(status: int = 200, body: bytes = b"", **headers: str) -> Step:
    """Answer with a complete response. Underscores in the names of headers become hyphens."""

    def send(connection: socket.socket) -> bool:
        connection.sendall(head(status, content_length=str(len(body)), **headers) + body)
        return True

    return send


def head(status: int = 200, **headers: str) -> bytes:
    """Return the status line and the headers."""
    fields = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {status} Scripted\r\n{fields}\r\n".encode()


def raw(data: bytes) -> Step:
    """Answer with these bytes, and close the connection."""

    def send(connection: socket.socket) -> bool:
        connection.sendall(data)
        return False

    return send


def reset(connection: socket.socket) -> bool:
    """Reset the connection."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return False


def silence(connection: socket.socket) -> bool:
    """Never answer. Ends when the client closes the connection."""
    connection.recv(1)
    return False


def endless(data: bytes, *, seconds: float = 0.0, start: bytes = b"") -> Step:
    """Send the data again and again, with a pause, until the client closes the connection."""

    def send(connection: socket.socket) -> bool:
        connection.sendall(start)
        while True:
            connection.sendall(data)
            threading.Event().wait(seconds)

    return send
