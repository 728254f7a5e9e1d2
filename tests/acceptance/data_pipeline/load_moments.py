"""The named moments of a load, at which a test can act."""

from collections.abc import Callable
from itertools import count
from typing import Any

from data_pipeline.postgres import kept_rejects, load_log, load_requests, merging
from data_pipeline.services import process_once
from data_pipeline.services.chunk_loader import ChunkLoader

# The function before or after which a moment is, and at which of its calls.
_PLACES: dict[str, tuple[Any, str, bool, int]] = {
    "before the pending row": (load_log, "claim", True, 1),
    "after the pending row": (load_log, "claim", False, 1),
    "in the second chunk": (ChunkLoader, "_load_chunk", False, 2),
    "before the merge": (merging, "merge", True, 1),
    "before the rejects": (kept_rejects, "save_rejects", True, 1),
    "before the success": (load_log, "complete", True, 1),
    "before the commit": (load_log, "complete", False, 1),
    "after the commit": (process_once, "refresh_after", True, 1),
    "before the end of the request": (load_requests, "end", True, 1),
}
TASK_MOMENTS = tuple(_PLACES)
MOMENTS = TASK_MOMENTS[:-1]


def act_at(moment: str, action: Callable[[], object], *, replace: Callable[[Any, str, Any], None] = setattr) -> None:
    """Call `action` once, at a moment of the next load. `replace` sets an attribute, as `monkeypatch.setattr` does."""
    owner, name, is_before, number = _PLACES[moment]
    original, calls = getattr(owner, name), count(1)

    def call(*args: Any, **kwargs: Any) -> Any:
        is_now = next(calls) == number
        if is_now and is_before:
            action()
        result = original(*args, **kwargs)
        if is_now and not is_before:
            action()
        return result

    replace(owner, name, call)
