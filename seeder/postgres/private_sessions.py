"""Sessions that end with the block that uses them."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from django.db import Error, connections


@contextmanager
def private_session(database: str) -> Iterator[None]:
    """Give this thread a new session inside the block, without a pool.

    Its locks, settings and temporary objects end with it. The transaction of the thread's own session continues.
    """
    shared = connections[database]
    private = shared.copy()
    private.settings_dict.setdefault("OPTIONS", {}).pop("pool", None)
    connections[database] = private
    try:
        yield
    finally:
        connections[database] = shared
        with suppress(Error):  # the error of the block matters more
            private.close()
