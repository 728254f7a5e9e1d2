"""A cluster of the queue that ends when it could no longer work, and shows that it lives, for who watches it.

What the queue's processes take tasks from and put results into is a lock in shared memory. One that is killed while it
holds that lock, as one that waits for work does, keeps it for ever: django-q2 puts another in its place, which then
waits for ever too. Its sentinel sees how each of them ended, so it knows better than anybody outside.
"""

import logging
import os
import signal
from contextlib import suppress
from multiprocessing.process import BaseProcess

from django_q import cluster

_log = logging.getLogger("django-q")  # among what the cluster says itself


def run(heartbeat_fd: int) -> None:
    """As `manage.py qcluster` does, with signs of life into a pipe. Ends after SIGTERM or SIGINT."""
    _Sentinel.heartbeat_fd = heartbeat_fd
    # There is no other way in: the cluster starts whatever its module calls by this name.
    cluster.Sentinel = _Sentinel
    cluster.Cluster().start()


class _Sentinel(cluster.Sentinel):  # type: ignore[misc]  # django-q2 has no types
    heartbeat_fd = -1

    def status(self) -> str:
        """Asked for in each round of the guard."""
        try:
            with suppress(BlockingIOError):  # who watches has other things to do
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
    """Whether it may have held the lock of a queue when it was killed. A worker that is at a task holds none; where
    tasks have no time limit, nobody can tell whether it was."""
    timer = getattr(process, "timer", None)
    is_at_a_task = timer is not None and timer.value > 0
    return process.exitcode is not None and process.exitcode < 0 and not is_at_a_task
