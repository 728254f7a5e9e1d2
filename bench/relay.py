"""A network between clients and the server: python -m bench.relay SERVER_SOCKET SOCKET ROUND_TRIP

Passes bytes on in their order, each after half of the round trip (in seconds), in both directions. Threads sleep more
exactly than an event loop, whose timer has steps of a millisecond.
"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import SimpleQueue
from socket import AF_UNIX, SHUT_WR, socket
from tempfile import TemporaryDirectory
from threading import Thread
from time import monotonic, sleep

_CHUNK = 1 << 16


def serve(server: str, path: str, round_trip: float) -> None:
    """Relay connections to a socket until the process ends."""
    with socket(AF_UNIX) as listening:
        listening.bind(path)
        listening.listen(128)
        print("listening", flush=True)
        while True:
            client, _ = listening.accept()
            upstream = socket(AF_UNIX)
            upstream.connect(server)
            for source, sink in ((client, upstream), (upstream, client)):
                Thread(target=_relay, args=[source, sink, round_trip / 2], daemon=True).start()


def _relay(source: socket, sink: socket, delay: float) -> None:
    """Pass on what one side sends, until it ends the connection."""
    chunks = SimpleQueue[tuple[float, bytes]]()
    Thread(target=_receive, args=[source, chunks], daemon=True).start()
    with suppress(OSError):  # the other side has gone
        while True:
            received_at, chunk = chunks.get()
            sleep(max(received_at + delay - monotonic(), 0))
            if not chunk:
                break
            sink.sendall(chunk)
        sink.shutdown(SHUT_WR)


def _receive(source: socket, chunks: SimpleQueue[tuple[float, bytes]]) -> None:
    chunk = b"begin"
    while chunk:
        try:
            chunk = source.recv(_CHUNK)
        except OSError:
            chunk = b""
        chunks.put((monotonic(), chunk))


@contextmanager
def running(server: Path, round_trip: float) -> Iterator[Path]:
    """Run a relay as a separate process. Provide the folder of its socket, which has the name of the server's."""
    with TemporaryDirectory(prefix="relay") as folder:
        arguments = [sys.executable, "-m", "bench.relay", str(server), f"{folder}/{server.name}", str(round_trip)]
        with subprocess.Popen(arguments, stdout=subprocess.PIPE) as process:  # noqa: S603  # this module
            try:
                if process.stdout is not None:
                    process.stdout.readline()  # it is listening
                yield Path(folder)
            finally:
                process.terminate()


if __name__ == "__main__":
    serve(sys.argv[1], sys.argv[2], float(sys.argv[3]))
