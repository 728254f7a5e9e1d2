"""A proxy to the server of the test, like `ssh -L`."""

import os
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from threading import Thread
from typing import Any

from django.db import connection

PORT = 6543  # part of the name of a socket in a folder


@contextmanager
def proxy_to_server(
    folder: Path | None = None, transform: Callable[[bytes], bytes] = lambda data: data
) -> Iterator[tuple[str, int]]:
    """Forward connections. Yield the host and port: a unix socket in `folder`, or loopback. `transform` can change the
    server's answers.
    """
    family = socket.AF_INET if folder is None else socket.AF_UNIX
    address: Any = ("127.0.0.1", 0) if folder is None else os.fspath(folder / f".s.PGSQL.{PORT}")
    server = connection.get_connection_params()  # before Django uses the proxy
    with ExitStack() as open_ends, closing(socket.socket(family)) as listener:
        listener.bind(address)
        listener.listen()

        def accept_connections() -> None:
            with suppress(OSError):
                while True:
                    near = open_ends.enter_context(closing(listener.accept()[0]))
                    far = open_ends.enter_context(closing(_connect_to(server)))
                    Thread(target=_pump, args=(near, far), daemon=True).start()
                    Thread(target=_pump, args=(far, near, transform), daemon=True).start()

        Thread(target=accept_connections, daemon=True).start()
        yield listener.getsockname() if folder is None else (os.fspath(folder), PORT)


def _connect_to(server: Mapping[str, Any]) -> socket.socket:
    host, port = str(server.get("host") or "/var/run/postgresql"), int(server.get("port") or 5432)
    if not host.startswith("/"):
        return socket.create_connection((host, port))
    connected = socket.socket(socket.AF_UNIX)
    connected.connect(f"{host}/.s.PGSQL.{port}")
    return connected


def _pump(source: socket.socket, sink: socket.socket, transform: Callable[[bytes], bytes] = lambda data: data) -> None:
    with suppress(OSError):
        while chunk := source.recv(65536):
            sink.sendall(transform(chunk))
    with suppress(OSError):
        sink.shutdown(socket.SHUT_WR)
