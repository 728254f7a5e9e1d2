"""What the current thread or task works for.

Its calls can then be found in the log.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_request_id: ContextVar[str | None] = ContextVar("data_pipeline.request_id", default=None)
_load_source: ContextVar[str | None] = ContextVar("data_pipeline.load_source", default=None)


@contextmanager
def calls_of(*, request_id: str | None = None, source: str | None = None) -> Iterator[None]:
    """Name the request or source of the calls in the block.

    None keeps the outer one.
    """
    tokens = [(_request_id, _request_id.set(request_id or _request_id.get()))]
    tokens += [(_load_source, _load_source.set(source or _load_source.get()))]
    try:
        yield
    finally:
        for variable, token in reversed(tokens):
            variable.reset(token)


def current_request_id() -> str | None:
    """Return the id of a call in the log, if known."""
    return _request_id.get()


def current_source() -> str | None:
    """Return the source of the calls of a load or run.

    None outside of one.
    """
    return _load_source.get()
