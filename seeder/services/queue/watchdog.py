"""Keeps a cluster of the queue working: starts it, notices when it does not work any more, and starts another.

The cluster is a child in a process group of its own, so that whatever of it is left can be ended with it. It shows
signs of life through a pipe, which also tells it when nobody watches any more.
"""

import os
import signal
import subprocess
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from threading import Thread
from time import monotonic, sleep

from seeder import conf
from seeder.postgres import sessions
from seeder.services import event_logger
from seeder.services.queue.queue_problems import queue_problems
from seeder.services.queue.rescue import rescue_all
from seeder.services.stop_signal import StopSignal

Tell = Callable[[str], object]

_POLL_INTERVAL = timedelta(milliseconds=500)
_RESCUE_INTERVAL = timedelta(seconds=5)
# The guard shows signs of life twice a second, but for when it waits for the database to read the schedules.
_HEARTBEAT_TIMEOUT = timedelta(minutes=2)
# A run that is asked to stop does so within two seconds; then its worker ends.
_KILL_GRACE = timedelta(seconds=10)
# One that ended sooner than this after its start will probably do so again: the next start waits, each time twice as
# long, up to a minute.
_SHORT_LIFE, _MAX_BACKOFF = timedelta(minutes=1), timedelta(minutes=1)


def keep_cluster_running(command: Sequence[str], *, stop: StopSignal, grace: timedelta, report: Tell) -> None:
    """Until `stop` is requested. `command` starts a cluster that writes its signs of life to the file descriptor that
    is added as the last argument; asked to end, it has so long for what it is at.

    Raises `ConfigurationError`, as with such settings a cluster would fail at every task.
    """
    conf.load()

    sweeper = Thread(target=_rescue, args=(stop, report), daemon=True, name="seeder sweep")
    sweeper.start()
    failures = 0
    while not stop.requested:
        child = _Cluster(command)
        event_logger.log_event(event_logger.INFO, "cluster_started", pid=child.pid)
        report(f"cluster {child.pid} started")
        why = child.end_reason(stop)
        if why is None:
            report(f"{stop.reason}: cluster {child.pid} is to end, within {grace.total_seconds():.0f} s")
            child.end(grace)
            event_logger.log_event(event_logger.INFO, "cluster_ended", pid=child.pid, stopped_by=stop.reason)
            report(f"cluster {child.pid} ended")
            break
        failures = failures + 1 if child.age < _SHORT_LIFE.total_seconds() else 1
        pause = min(timedelta(seconds=2 ** min(failures - 1, 16)), _MAX_BACKOFF)
        child.end(timedelta())
        event_logger.log_event(
            event_logger.ERROR, "cluster_lost", pid=child.pid, cause=why, duration_seconds=round(child.age, 3)
        )
        report(
            f"cluster {child.pid} {why}; what was left of it is ended, another starts in {pause.total_seconds():.0f} s"
        )
        stop.wait(pause)
    sweeper.join(_KILL_GRACE.total_seconds())


class _Cluster:
    """One cluster, as a process group."""

    def __init__(self, command: Sequence[str]) -> None:
        self._heartbeat_pipe, ours = os.pipe()
        os.set_blocking(self._heartbeat_pipe, False)
        os.set_blocking(ours, False)
        self._process = subprocess.Popen(  # noqa: S603  # our own command
            [*command, str(ours)], pass_fds=(ours,), start_new_session=True
        )
        os.close(ours)
        self._started = self._heard = monotonic()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def age(self) -> float:
        return monotonic() - self._started

    def end_reason(self, stop: StopSignal) -> str | None:
        """Wait until it does not work any more, and say why; None when `stop` is requested before."""
        while not stop.requested:
            self._read_heartbeats()
            if self._process.poll() is not None:
                code = self._process.returncode
                return f"ended by itself, with exit code {code}" if code else "ended by itself"
            if monotonic() - self._heard > _HEARTBEAT_TIMEOUT.total_seconds():
                return "shows no sign of life"
            stop.wait(_POLL_INTERVAL)
        return None

    def _read_heartbeats(self) -> None:
        with suppress(BlockingIOError):
            while os.read(self._heartbeat_pipe, 4096):
                self._heard = monotonic()

    def end(self, grace: timedelta) -> None:
        """Ask it to end, then whatever is left of it, then end that by force."""
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
        """Whether there was anybody to get it."""
        try:
            os.killpg(self.pid, number)
        except ProcessLookupError:
            return False
        return True


def _rescue(stop: StopSignal, report: Tell) -> None:
    """Every few seconds; what is in the way is told when it is something else than before."""
    told = ""
    while not stop.requested:
        try:
            for rescued in rescue_all():
                report(rescued)
            failed, reason = " ".join(queue_problems()), "obstacle"
        except Exception as error:  # noqa: BLE001  # a broker raises what its library does; the next attempt may succeed
            failed, reason = f"cannot look after the queue: {error}", type(error).__name__
        if failed and failed != told:
            event_logger.log_event(event_logger.WARNING, "queue_problem", reason=reason)
            report(failed)
        told = failed
        sessions.close_thread_connections()
        stop.wait(_RESCUE_INTERVAL)
