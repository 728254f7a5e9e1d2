"""Loads in processes of their own, which stop at a named moment or can be killed at any."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from tests.conftest import CHECKOUT, process_environment

MOMENTS = (
    "before the pending row",
    "after the pending row",
    "in the second chunk",
    "before the merge",
    "before the rejects",
    "before the success",
    "before the commit",
    "after the commit",
)
TASK_MOMENTS = ("before the pending row", "before the commit", "after the commit", "before the end of the request")


class LoadProcesses:
    """A process that loads files in children."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def start(self, path: Path, **options: Any) -> int:
        """Start to load a file. Return the id of the process."""
        return int(self._ask({"path": str(path), **options}))

    def start_task(self, request_id: int, *, stop_at: str) -> int:
        """Start the task of the queue that loads a file. Return the id of the process."""
        return int(self._ask({"request_id": request_id, "stop_at": stop_at}))

    def reached(self) -> str:
        """Wait until the load stops at its moment, or has ended. Return which."""
        return self._answer()

    def kill(self, pid: int) -> None:
        """Kill the process of a load with SIGKILL."""
        os.kill(pid, signal.SIGKILL)  # its id is in use until `end`

    def end(self) -> int:
        """Wait until the load has ended. Return its exit code, which is negative for a signal."""
        return int(self._ask("end"))

    def _ask(self, request: object) -> str:
        assert self._process.stdin
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> str:
        assert self._process.stdout
        return self._process.stdout.readline().rstrip("\n")


@contextmanager
def load_processes(**environment: str) -> Iterator[LoadProcesses]:
    """Start the process that loads files. It ends with the block, and its children with it."""
    with subprocess.Popen(
        [sys.executable, Path(__file__).with_name("loading_process.py")],
        cwd=CHECKOUT,
        env={**process_environment(), "PYTHONPATH": str(CHECKOUT), **environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            yield LoadProcesses(process)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
