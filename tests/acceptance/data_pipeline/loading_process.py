"""A program that loads a file for each line of its input, in a child of its own, so that each starts at once."""

import json
import os
import signal
import sys
import traceback
from collections.abc import Callable
from typing import Any


def _stop() -> None:
    """Report that the moment is reached, and wait to be killed."""
    _answer("stopped")
    signal.sigwait({signal.SIGCONT})


def _answer(text: object) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _stop_before(owner: Any, name: str) -> None:
    setattr(owner, name, lambda *_, **__: _stop())


def _stop_after(owner: Any, name: str) -> None:
    original: Callable[..., Any] = getattr(owner, name)

    def call_and_stop(*args: Any, **kwargs: Any) -> Any:
        original(*args, **kwargs)
        _stop()

    setattr(owner, name, call_and_stop)


def _prepare_stop(moment: str) -> None:
    from data_pipeline.postgres import kept_rejects, load_log, load_requests, merging
    from data_pipeline.services import process_once

    match moment:
        case "before the pending row":
            _stop_before(load_log, "claim")
        case "after the pending row":
            _stop_after(load_log, "claim")
        case "before the merge":
            _stop_before(merging, "merge")
        case "before the rejects":
            _stop_before(kept_rejects, "save_rejects")
        case "before the success":
            _stop_before(load_log, "complete")
        case "before the commit":
            _stop_after(load_log, "complete")
        case "before the end of the request":
            _stop_before(load_requests, "end")
        case "after the commit":
            _stop_before(process_once, "refresh_after")


def _run_task(request_id: int, *, stop_at: str) -> None:
    from data_pipeline import tasks

    _prepare_stop(stop_at)
    tasks.import_file(request_id)


def _load(path: str, *, stop_at: str | None = None, **options: Any) -> None:
    from data_pipeline.services.load_file import load_file

    chunks = 0

    def stop_in_second_chunk(_: object) -> None:
        nonlocal chunks
        chunks += 1
        if stop_at == "in the second chunk" and chunks == 2:
            _stop()

    _prepare_stop(stop_at or "")
    load_file(path, on_progress=stop_in_second_chunk, **options)


def _serve() -> None:
    import django

    django.setup()
    import data_pipeline.services.load_file  # noqa: F401  # imported once for all children

    pid = 0
    for line in sys.stdin:
        request = json.loads(line)
        if request == "end":
            _answer(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
            continue
        pid = os.fork()
        if pid == 0:
            _answer(os.getpid())  # answers of two processes would have no order
            os._exit(_run(request))


def _run(request: dict[str, Any]) -> int:
    """Load a file in the child. Return its exit code."""
    code = 1
    try:
        _run_task(**request) if "request_id" in request else _load(**request)
        code = 0
    except BaseException:  # noqa: BLE001  # the child must not go on as its parent
        traceback.print_exc()
    if request.get("stop_at"):
        _answer("ended")
    return code


if __name__ == "__main__":
    _serve()
