"""A django-q2 cluster that ends when it can no longer work, and sends a heartbeat to its watchdog.

The processes of a cluster share queues that are protected by a lock in shared memory. A process that is killed while it
holds the lock, as an idle worker does, keeps it forever: django-q2 replaces the process, and the new one blocks. The
sentinel of the cluster sees how each process ended, which no outside process can.
"""

import logging
import os
import signal
from contextlib import suppress
from multiprocessing.process import BaseProcess

from django_q import cluster

_log = logging.getLogger("django-q")  # the cluster's own logger


def run(heartbeat_fd: int) -> None:
    """Run a cluster as `manage.py qcluster` does, with a heartbeat. Returns after SIGTERM or SIGINT."""
    _Sentinel.heartbeat_fd = heartbeat_fd
    # The only hook: the cluster starts the class that its module has under this name.
    cluster.Sentinel = _Sentinel
    cluster.Cluster().start()


class _Sentinel(cluster.Sentinel):  # type: ignore[misc]  # django-q2 has no types
    heartbeat_fd = -1

    def status(self) -> str:
        """Return the status. Django-q2 reads it in every cycle of the sentinel."""
        try:
            with suppress(BlockingIOError):  # the watchdog is busy
                os.write(self.heartbeat_fd, b".")
        except BrokenPipeError:
            _log.critical("The cluster is no longer watched, so it ends.")
            os.killpg(0, signal.SIGTERM)
        return str(super().status())

    def reincarnate(self, process: BaseProcess) -> None:
        if _held_queue_lock(process):
            name = signal.Signals(-(process.exitcode or 0)).name
            _log.critical("A process of the cluster was ended by %s while it waited for work, so it all ends.", name)
            os._exit(1)
        super().reincarnate(process)


def _held_queue_lock(process: BaseProcess) -> bool:
    """Return whether a killed process may have held a queue's lock.

    A worker that runs a task holds none. Without a time limit for tasks it is unknown whether it ran one.
    """
    timer = getattr(process, "timer", None)
    is_at_a_task = timer is not None and timer.value > 0
    return process.exitcode is not None and process.exitcode < 0 and not is_at_a_task
