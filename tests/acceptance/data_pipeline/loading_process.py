"""A program that loads a file for each line of its input, in a child of its own, so that each starts at once."""

import json
import os
import signal
import sys
import traceback
from typing import Any


def _stop() -> None:
    """Report that the moment is reached, and wait to be killed."""
    _answer("stopped")
    signal.sigwait({signal.SIGCONT})


def _answer(text: object) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _load(path: str, **options: Any) -> None:
    from data_pipeline.services.load_file import load_file

    load_file(path, **options)


def _run_task(request_id: int) -> None:
    from data_pipeline import tasks

    tasks.import_file(request_id)


def _serve() -> None:
    import django

    django.setup()
    import tests.acceptance.data_pipeline.load_moments  # noqa: F401  # imported once for all children

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
    from tests.acceptance.data_pipeline.load_moments import act_at

    code, moment = 1, request.pop("stop_at", None)
    try:
        if moment:
            act_at(moment, _stop)
        _run_task(**request) if "request_id" in request else _load(**request)
        code = 0
    except BaseException:  # noqa: BLE001  # the child must not go on as its parent
        traceback.print_exc()
    if moment:
        _answer("ended")
    return code


if __name__ == "__main__":
    _serve()
