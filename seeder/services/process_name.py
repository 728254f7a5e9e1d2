"""The name of this process in rows and pages."""

import os
import socket


def process_name() -> str:
    """Return the name of the host and the process id, such as `db1:4711`."""
    return f"{socket.gethostname()}:{os.getpid()}"
