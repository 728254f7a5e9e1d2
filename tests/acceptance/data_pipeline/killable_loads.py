"""Loads in processes of their own, which stop at a named moment or can be killed at any."""

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from select import select
from typing import Any

from tests.conftest import CHECKOUT, process_environment

_LONGEST_ANSWER = 120  # seconds


class LoadProcesses:
    """A process that loads files in children. It is started again after it has ended."""

    def __init__(self, **environment: str) -> None:
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None
        self._is_loading = False

    def start(self, path: Path, **options: Any) -> int:
        """Start to load a file. Return the id of the process."""
        return self._start({"path": str(path), **options})

    def start_task(self, request_id: int, **options: Any) -> int:
        """Start the task of the queue that loads a file. Return the id of the process."""
        return self._start({"request_id": request_id, **options})

    def reached(self) -> str:
        """Wait until the load stops at its moment, or has ended. Return which."""
        return self._answer()

    def kill(self, pid: int) -> None:
        """Kill the process of a load with SIGKILL."""
        os.kill(pid, signal.SIGKILL)  # its id is in use until `end`

    def end(self) -> int:
        """Wait until the load has ended. Return its exit code, which is negative for a signal."""
        self._send("end")
        code = int(self._answer())
        self._is_loading = False
        return code

    def clean(self) -> None:
        """End what a failed test has left: its load, and answers that the next test would take for its own."""
        if self._is_loading:
            self.close()

    def close(self) -> None:
        """Kill the process and its children."""
        if self._process:
            with self._process as process, suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        self._process, self._is_loading = None, False

    def _start(self, request: object) -> int:
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, Path(__file__).with_name("loading_process.py")],
                cwd=CHECKOUT,
                env={**process_environment(), "PYTHONPATH": str(CHECKOUT), **self._environment},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                bufsize=0,
                start_new_session=True,
            )
        self._is_loading = True
        self._send(request)
        return int(self._answer())

    def _send(self, request: object) -> None:
        assert self._process
        assert self._process.stdin
        self._process.stdin.write(json.dumps(request).encode() + b"\n")

    def _answer(self) -> str:
        assert self._process
        assert self._process.stdout
        line = b""
        while not line.endswith(b"\n"):
            assert select([self._process.stdout], [], [], _LONGEST_ANSWER)[0], "no answer; the load hangs"
            byte = self._process.stdout.read(1)
            assert byte, "the process of the loads has ended"
            line += byte
        return line.decode().rstrip("\n")
