"""Ports of this machine, for servers that tests start.

Each process has a block of ports, and holds its first one until it ends. So workers and checkouts never share a port.
"""

import socket
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from itertools import cycle

# Below the ephemeral ports of the system, because an outgoing connection could take a free one before the server does.
_FIRST_PORTS = range(20_000, 32_000, 100)  # of the blocks
_held = socket.socket()


def free_port() -> int:
    """Return the next port without a listener."""
    return next(port for port in _own_ports() if _can_bind(port))


def is_listening(port: int) -> bool:
    """Return whether a process listens on a port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@cache
def _own_ports() -> Iterator[int]:
    """Take the first free block. Return its other ports, repeated."""
    for first in _FIRST_PORTS:
        with suppress(OSError):
            _held.bind(("127.0.0.1", first))
            return cycle(range(first + 1, first + _FIRST_PORTS.step))
    raise RuntimeError("Other test runs hold all blocks of ports.")


def _can_bind(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
