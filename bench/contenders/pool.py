"""A plain pool of psycopg connections without any bookkeeping.

    python -m bench.contenders.pool manifest|path WORKERS WORKLOAD.json

In `manifest` order the pool has no further information. In `path` order it knows the duration and the dependencies of
each view: a view starts when its dependencies have ended, the longest remaining path first. No schedule without
knowledge of the future can be much better.
"""

import json
import sys
from heapq import heapify, heappop, heappush
from pathlib import Path
from threading import Condition, Thread
from time import monotonic

import psycopg
from psycopg import sql

from bench.measurement_math import remaining_paths


class ViewQueue:
    """The views that are ready to start, in order."""

    def __init__(self, ranks: dict[str, float], reads: dict[str, list[str]]) -> None:
        self._ranks = ranks
        self._unfinished_dependencies = {name: len(reads.get(name, ())) for name in ranks}
        self._readers: dict[str, list[str]] = {name: [] for name in ranks}
        for name, dependencies in reads.items():
            for dependency in dependencies:
                self._readers[dependency].append(name)
        self._ready = [(rank, name) for name, rank in ranks.items() if not self._unfinished_dependencies[name]]
        heapify(self._ready)
        self._remaining = len(ranks)
        self._changed = Condition()

    def take(self) -> str | None:
        """Return the next view, or None if there will be no more."""
        with self._changed:
            while self._remaining and not self._ready:
                self._changed.wait()
            if not self._remaining:
                return None
            self._remaining -= 1
            if not self._remaining:
                self._changed.notify_all()
            return heappop(self._ready)[1]

    def finish(self, name: str) -> None:
        with self._changed:
            for reader in self._readers[name]:
                self._unfinished_dependencies[reader] -= 1
                if not self._unfinished_dependencies[reader]:
                    heappush(self._ready, (self._ranks[reader], reader))
                    self._changed.notify()


def main() -> None:
    order, workers, file = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
    workload = json.loads(file.read_text())
    if order == "path":
        reads: dict[str, list[str]] = workload["reads"]
        paths = remaining_paths(workload["seconds"], reads)
        queue = ViewQueue({name: -path for name, path in paths.items()}, reads)
    else:
        queue = ViewQueue({name: float(position) for position, name in enumerate(workload["views"])}, {})
    started_at = monotonic()
    threads = [Thread(target=_work, args=(queue,)) for _ in range(min(workers, len(workload["views"])))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(json.dumps({"inner": monotonic() - started_at}))


def _work(queue: ViewQueue) -> None:
    with psycopg.connect(autocommit=True) as connection:
        while (name := queue.take()) is not None:
            connection.execute(sql.SQL("REFRESH MATERIALIZED VIEW {}").format(sql.Identifier("reporting", name)))
            queue.finish(name)


if __name__ == "__main__":
    main()
