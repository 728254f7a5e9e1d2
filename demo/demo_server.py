"""Runs a web server and a cluster of the queue until it is interrupted."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Event

_CHECKOUT = Path(__file__).resolve().parent.parent
_MAX_EXIT_SECONDS = 20  # seconds until a process is killed


def serve(address: str, *, on_ready: Callable[[], object], worker: Sequence[str] = ("watch_queue",)) -> int:
    """Start both and wait for Ctrl-C, SIGTERM or the end of either, then end the other.

    `on_ready` is called once the web server listens. Returns the exit code.
    """
    stop = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    # In their own sessions, Ctrl-C reaches only this process, which then signals each once.
    processes = [_start_command("runserver", "--noreload", address), _start_command(*worker)]
    try:
        is_reported = False
        while not stop.wait(0.2) and all(process.poll() is None for process in processes):
            if not is_reported and _is_listening(address):
                is_reported = True
                on_ready()
        return 0 if stop.is_set() else 1
    finally:
        for process in processes:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
        for process in processes:
            _wait_or_kill(process)


def _start_command(*arguments: str) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.Popen(command, cwd=_CHECKOUT, start_new_session=True)  # noqa: S603  # a command of this checkout


def _is_listening(address: str) -> bool:
    host, _, port = address.rpartition(":")
    with socket.socket() as probe:
        return probe.connect_ex((host or "127.0.0.1", int(port))) == 0


def _wait_or_kill(process: "subprocess.Popen[bytes]") -> None:
    try:
        process.wait(_MAX_EXIT_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
