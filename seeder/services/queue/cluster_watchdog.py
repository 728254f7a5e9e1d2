"""Keeps a cluster of the queue running: starts it, detects when it stops working, and starts another.

The cluster is a child process in a process group of its own, so that the whole group can be killed. It writes a
heartbeat into a pipe. When the watchdog dies, the pipe closes and the cluster ends.
"""

import os
import signal
import subprocess
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from threading import Thread
from time import monotonic, sleep

from django.db import connections

from seeder import conf
from seeder.services.queue.queue_overview import queue_problems
from seeder.services.queue.rescue import rescue_all
from seeder.services.stop_signal import StopSignal
from seeder.services.structured_log import ERROR, INFO, WARNING, log_event
from seeder.texts import Text

Report = Callable[[str], object]

_POLL_INTERVAL = timedelta(milliseconds=500)
_RESCUE_INTERVAL = timedelta(seconds=5)
# The heartbeat comes twice a second, unless the cluster waits for the database to read the schedules.
_HEARTBEAT_TIMEOUT = timedelta(minutes=2)
# A stopped run ends within two seconds, and then its worker.
_KILL_GRACE = timedelta(seconds=10)
# A cluster that ended sooner than this will probably do so again: each start waits twice as long as the one before, up
# to a minute.
_SHORT_LIFE, _FIRST_BACKOFF, _MAX_BACKOFF = timedelta(minutes=1), timedelta(seconds=1), timedelta(minutes=1)


def keep_cluster_running(command: Sequence[str], *, stop: StopSignal, grace: timedelta, report: Report) -> None:
    """Keep a cluster running until `stop` is set.

    `command` starts a cluster. The file descriptor for its heartbeat is appended as the last argument. When the cluster
    is stopped, its tasks have `grace` to end.

    Raises `ConfigurationError`, because every task would fail with such settings.
    """
    conf.load()

    rescuer = Thread(target=_rescue, args=(stop, report), daemon=True, name="seeder rescue")
    rescuer.start()
    pause = timedelta()
    while not stop.requested:
        child = _Cluster(command)
        log_event(INFO, "cluster_started", pid=child.pid)
        report(Text("cluster {pid} started", pid=child.pid))
        cause = child.end_reason(stop)
        if cause is None:
            text = Text(
                "{reason}: stopping cluster {pid}, within {seconds:.0f} s",
                reason=stop.reason,
                pid=child.pid,
                seconds=grace.total_seconds(),
            )
            report(text)
            child.end(grace)
            log_event(INFO, "cluster_ended", pid=child.pid, stopped_by=stop.reason)
            report(Text("cluster {pid} ended", pid=child.pid))
            break
        pause = min(2 * pause, _MAX_BACKOFF) if pause and child.age < _SHORT_LIFE.total_seconds() else _FIRST_BACKOFF
        child.end(timedelta())
        log_event(ERROR, "cluster_lost", pid=child.pid, cause=cause, duration_seconds=round(child.age, 3))
        text = Text(
            "cluster {pid} {cause}; it was killed, another starts in {seconds:.0f} s",
            pid=child.pid,
            cause=cause,
            seconds=pause.total_seconds(),
        )
        report(text)
        stop.wait(pause)
    rescuer.join(_KILL_GRACE.total_seconds())


class _Cluster:
    """One cluster, as a process group."""

    def __init__(self, command: Sequence[str]) -> None:
        self._heartbeat_pipe, child_end = os.pipe()
        os.set_blocking(self._heartbeat_pipe, False)
        os.set_blocking(child_end, False)
        self._process = subprocess.Popen(  # noqa: S603  # our own command
            [*command, str(child_end)], pass_fds=(child_end,), start_new_session=True
        )
        os.close(child_end)
        self.pid, self._started = self._process.pid, monotonic()

    @property
    def age(self) -> float:
        return monotonic() - self._started

    def end_reason(self, stop: StopSignal) -> str | None:
        """Wait until the cluster stops working, and return why; None if `stop` is set first."""
        last_heartbeat = self._started
        while not stop.requested:
            with suppress(BlockingIOError):
                while os.read(self._heartbeat_pipe, 4096):
                    last_heartbeat = monotonic()
            if self._process.poll() is not None:
                code = self._process.returncode
                return Text("ended by itself, with exit code {code}", code=code) if code else Text("ended by itself")
            if monotonic() - last_heartbeat > _HEARTBEAT_TIMEOUT.total_seconds():
                return Text("sends no heartbeat")
            stop.wait(_POLL_INTERVAL)
        return None

    def end(self, grace: timedelta) -> None:
        """Terminate the cluster, then its process group, and then kill what is left."""
        if self._process.poll() is None:
            self._process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(grace.total_seconds())
        if self._signal(signal.SIGTERM):
            end = monotonic() + _KILL_GRACE.total_seconds()
            while self._signal(0) and monotonic() < end:
                self._process.poll()
                sleep(_POLL_INTERVAL.total_seconds() / 5)
        self._signal(signal.SIGKILL)
        self._process.wait()
        os.close(self._heartbeat_pipe)

    def _signal(self, number: int) -> bool:
        """Signal the process group, and return whether a process got the signal."""
        try:
            os.killpg(self.pid, number)
        except ProcessLookupError:
            return False
        return True


def _rescue(stop: StopSignal, report: Report) -> None:
    """Rescue stalled work every few seconds, and report each problem of the queue once."""
    reported = ""
    while not stop.requested:
        try:
            for rescued in rescue_all():
                report(rescued)
            problem, reason = Text.joined(queue_problems(), " "), "problem"
        except Exception as error:  # noqa: BLE001  # a broker raises what its library does; the next attempt may succeed
            problem, reason = Text("cannot rescue stalled work: {error}", error=str(error)), type(error).__name__
        if problem and problem != reported:
            log_event(WARNING, "queue_problem", reason=reason)
            report(problem)
        reported = problem
        connections.close_all()
        stop.wait(_RESCUE_INTERVAL)
