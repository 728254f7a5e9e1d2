"""Ports of this machine, for servers that tests start."""

import os
import socket
from itertools import cycle

# Below the ephemeral ports of the system, and different in each worker of pytest-xdist.
_FIRST_PORT, _PORTS_PER_WORKER = 20_000, 500
_WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 20
_PORTS = cycle(range(_FIRST_PORT + _PORTS_PER_WORKER * _WORKER, _FIRST_PORT + _PORTS_PER_WORKER * (_WORKER + 1)))


def free_port() -> int:
    """Return the next port without a listener."""
    return next(port for port in _PORTS if _can_bind(port))


def is_listening(port: int) -> bool:
    """Return whether a process listens on a port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _can_bind(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
