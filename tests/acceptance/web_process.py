"""A web server in another process, and requests to it."""

import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any
from urllib.error import HTTPError

from tests.conftest import CHECKOUT, process_environment
from tests.faults.private_server import default_database

_SERVE = """
import socketserver
from wsgiref.simple_server import WSGIServer, make_server
from settings.wsgi import application
class Server(socketserver.ThreadingMixIn, WSGIServer): daemon_threads = True
server = make_server("127.0.0.1", 0, application, Server)
print(server.server_port, flush=True)
server.serve_forever()
"""


def default_database_with(**overrides: Any) -> AbstractContextManager[None]:
    """Change the default database's settings inside the block."""
    server = {key.removeprefix("DB_"): value for key, value in process_environment().items() if key.startswith("DB_")}
    return default_database({**server, **overrides})


@contextmanager
def web_process(**environment: str) -> Iterator[str]:
    """Run a web server in another process and yield its address."""
    with subprocess.Popen(
        [sys.executable, "-c", _SERVE],
        cwd=CHECKOUT,
        env={**process_environment(), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.kill()


def fetch(address: str, **headers: str) -> tuple[int, bytes]:
    try:
        request = urllib.request.Request(address, headers=headers)  # noqa: S310  # our own server
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            return answer.status, answer.read()
    except HTTPError as error:
        with error:
            return error.code, error.read()
