"""A web server and a queue's cluster, side by side until somebody has seen enough."""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from threading import Event

_CHECKOUT = Path(__file__).resolve().parent.parent
_PATIENCE = 20  # s, for each to end by itself


def serve(address: str, *, worker: Sequence[str] = ("watch_queue",)) -> int:
    """Start both and wait: for Ctrl-C or SIGTERM, or for one of them to end, which ends the other. The exit code."""
    stop = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    # Sessions of their own: a Ctrl-C reaches this process alone, which then tells each once.
    processes = [_start("runserver", "--noreload", address), _start(*worker)]
    try:
        while not stop.wait(0.2) and all(process.poll() is None for process in processes):
            pass
        return 0 if stop.is_set() else 1
    finally:
        for process in processes:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
        for process in processes:
            _await(process)


def _start(*arguments: str) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.Popen(command, cwd=_CHECKOUT, start_new_session=True)  # noqa: S603  # one of this checkout


def _await(process: "subprocess.Popen[bytes]") -> None:
    try:
        process.wait(_PATIENCE)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
