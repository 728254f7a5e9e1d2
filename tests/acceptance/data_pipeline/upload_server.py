"""A web server that takes uploads, with gunicorn's threads as in the image, and clients that send to it."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
from rest_framework.authtoken.models import Token

from tests.acceptance import api_clients
from tests.conftest import CHECKOUT, process_environment

_BOUNDARY = "boundary-of-a-form"
# Sends a made CSV file with a number of MB. Prints the status, the answer, and the peak memory.
_CLIENT = """
import http.client, re, sys
port, token, path, megabytes, media, head, tail = sys.argv[1:]
head, tail = head.encode().decode("unicode_escape").encode(), tail.encode().decode("unicode_escape").encode()
block, count = b"1234567,12.50\\n" * 74_899, int(megabytes)  # almost 1 MiB
def body():
    yield head
    yield b"id,amount\\n"
    for _ in range(count):
        yield block
    yield tail
length = len(head) + len(b"id,amount\\n") + count * len(block) + len(tail)
connection = http.client.HTTPConnection("127.0.0.1", int(port), timeout=600)
headers = {"Authorization": f"Token {token}", "Content-Type": media, "Content-Length": str(length)}
connection.request("POST", path, body(), headers)
answer = connection.getresponse()
print(answer.status, answer.read().decode(), sep="\\n")
print(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1])
"""


@dataclass(frozen=True, kw_only=True)
class UploadServer:
    """A running server, whose process group is its own."""

    pid: int
    port: int
    folder: Path
    token: str

    def peak_memory(self) -> int:
        """Return the peak memory of the worker, in bytes."""
        [worker] = psutil.Process(self.pid).children()
        return _peak(Path(f"/proc/{worker.pid}/status").read_text(encoding="ascii"))

    def send(self, megabytes: int, *, as_form: bool) -> tuple[int, str, int]:
        """Send a file in another process. Return the status, the answer and the peak memory of the client."""
        media, head, tail = "text/csv", "", ""
        if as_form:
            media = f"multipart/form-data; boundary={_BOUNDARY}"
            head = f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
            tail = f"\r\n--{_BOUNDARY}--\r\n"
        path = "/upload?table=landing.fees"
        escaped = [text.encode("unicode_escape").decode() for text in (head, tail)]
        arguments = [str(self.port), self.token, path, str(megabytes), media, *escaped]
        ended = subprocess.run([sys.executable, "-c", _CLIENT, *arguments], capture_output=True, text=True, check=True)
        status, answer, peak_kb = ended.stdout.splitlines()
        return int(status), answer, int(peak_kb) * 1024

    def begin(self, content: bytes, *, length: int) -> socket.socket:
        """Send the beginning of a body."""
        client = socket.create_connection(("127.0.0.1", self.port), timeout=60)
        lines = [
            "POST /upload?table=landing.fees HTTP/1.1",
            "Host: localhost",
            f"Authorization: Token {self.token}",
            "Content-Type: text/csv",
            f"Content-Length: {length}",
        ]
        client.sendall("\r\n".join([*lines, "", ""]).encode() + content)
        return client

    def stored(self) -> list[str]:
        return sorted(path.name for path in self.folder.iterdir())

    def kill(self) -> None:
        """Kill the server and its workers with SIGKILL."""
        os.killpg(self.pid, signal.SIGKILL)


@contextmanager
def upload_server(folder: Path, **environment: str) -> Iterator[UploadServer]:
    """Run a server with one worker."""
    user = api_clients.create_user("uploader", is_superuser=True)
    token, _ = Token.objects.get_or_create(user=user)
    with subprocess.Popen(
        [Path(sys.prefix) / "bin" / "gunicorn", "settings.wsgi", "--bind=127.0.0.1:0", "--workers=1", "--threads=4"],
        cwd=CHECKOUT,
        env={**process_environment(), "DATA_PIPELINE_UPLOAD_ROOT": str(folder), **environment},
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            assert process.stderr
            matches = (re.search(r"Listening at: http://127.0.0.1:(\d+)", line) for line in process.stderr)
            port = int(next(match[1] for match in matches if match))
            yield UploadServer(pid=process.pid, port=port, folder=folder, token=token.key)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def _peak(status: str) -> int:
    match = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert match
    return int(match[1]) * 1024
