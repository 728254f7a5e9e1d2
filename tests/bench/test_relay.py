"""The network that the benchmark simulates."""

from contextlib import suppress
from pathlib import Path
from socket import AF_UNIX, socket
from threading import Thread
from time import monotonic

from bench import relay


def echo(listening: socket) -> None:
    """Send the bytes of one connection back, and end it when the client does."""
    connection, _ = listening.accept()
    with connection, suppress(OSError):
        while chunk := connection.recv(1 << 16):
            connection.sendall(chunk)


def test_bytes_arrive_in_order_after_a_round_trip(tmp_path: Path) -> None:
    with socket(AF_UNIX) as listening:
        listening.bind(str(tmp_path / "server"))
        listening.listen()
        Thread(target=echo, args=[listening], daemon=True).start()
        with relay.running(tmp_path / "server", 0.02) as folder, socket(AF_UNIX) as client:
            client.connect(str(folder / "server"))
            sent = bytes(range(256)) * 2000
            begun = monotonic()
            client.sendall(b"1")
            assert client.recv(1) == b"1"
            assert monotonic() - begun >= 0.02
            Thread(target=client.sendall, args=[sent], daemon=True).start()
            received = b""
            while len(received) < len(sent):
                received += client.recv(1 << 16)
            assert received == sent
            client.shutdown(1)
            assert client.recv(1) == b"", "the end of the connection is passed on"
