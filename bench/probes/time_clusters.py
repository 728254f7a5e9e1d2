"""The time of a queued request by the number of clusters: python -m bench.probes.time_clusters [REDIS_URL]

Each cluster is `watch_queue` with one worker of the queue and two refreshes at once, as on a machine of its own. A view
waits 100 ms in the server, so the server's processors are not the limit. The time is from the request to the end of the
last part, as the queue's table has it. With the URL of a Redis, the queue's messages are there.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from statistics import median
from time import monotonic, sleep

from bench.options import CHECKOUT
from bench.server import BenchServer
from bench.workloads.workload import BenchView, Workload, create_workload

_VIEWS, _ROUNDS, _MAX_SECONDS = 240, 3, 300
_CLUSTERS = (1, 2, 4)
# Seconds from the request to the end of its last part, and the number of parts that have not ended.
_LATEST_REQUEST = """
SELECT extract(epoch FROM max(finished_at) - min(requested_at)), count(*) FILTER (WHERE finished_at IS NULL)
FROM reporting.seeder_queued_refresh
WHERE request_id = (SELECT request_id FROM reporting.seeder_queued_refresh ORDER BY id DESC LIMIT 1)
"""


def main() -> None:
    redis_url = sys.argv[1] if len(sys.argv) > 1 else ""
    bench = BenchServer(keep=True)
    query = "SELECT 1 AS one FROM pg_sleep(0.1)"
    views = [BenchView(name=f"waiting_{number:03}", query=query) for number in range(_VIEWS)]
    workload = Workload(name="waiting_views", title="waiting views", views=views)
    create_workload(workload, bench)
    environment = {
        **os.environ,
        **bench.django_variables(workload.name),
        "DJANGO_SETTINGS_MODULE": "bench.host.clusters",
        "BENCH_QUEUE_REDIS": redis_url,
        "SEEDER_MAX_WORKERS": "2",
        "SEEDER_SKIP_UNCHANGED": "false",
    }
    _manage("migrate", environment)
    seconds: dict[int, list[float]] = {count: [] for count in _CLUSTERS}
    for count in chain.from_iterable([_CLUSTERS] * _ROUNDS):
        with _clusters(count, environment):
            seconds[count].append(_time_of_request(bench, workload.name, environment))
        print(f"{count} clusters: {seconds[count][-1]:.2f} s", flush=True)
    for count in _CLUSTERS:
        middle, alone = median(seconds[count]), median(seconds[1])
        print(f"{count} clusters: {middle:.2f} s, {alone / middle:.2f} times as fast as one")


@contextmanager
def _clusters(count: int, environment: dict[str, str]) -> Iterator[None]:
    command = [sys.executable, "manage.py", "watch_queue", "--grace", "1"]
    running = [
        subprocess.Popen(command, cwd=CHECKOUT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT)  # noqa: S603  # our own command
        for _ in range(count)
    ]
    try:
        yield
    finally:
        for process in running:
            process.send_signal(signal.SIGTERM)
        for process in running:
            process.wait(60)


def _time_of_request(bench: BenchServer, database: str, environment: dict[str, str]) -> float:
    """Return the seconds from a request to the end of its last part, once all clusters are up."""
    _finish_request(bench, database, environment)  # a first one, so that every cluster has started
    return _finish_request(bench, database, environment)


def _finish_request(bench: BenchServer, database: str, environment: dict[str, str]) -> float:
    _manage("refresh_all --queue", environment)
    deadline = monotonic() + _MAX_SECONDS
    with bench.connect(database) as connection:
        while monotonic() < deadline:
            row = connection.execute(_LATEST_REQUEST).fetchone()
            if row and row[0] is not None and not row[1]:
                return float(row[0])
            sleep(0.1)
    raise SystemExit(f"time_clusters: the request did not end within {_MAX_SECONDS} s")


def _manage(command: str, environment: dict[str, str]) -> None:
    arguments = [sys.executable, "manage.py", *command.split()]
    subprocess.run(arguments, cwd=CHECKOUT, env=environment, check=True, stdout=subprocess.DEVNULL)  # noqa: S603  # our own command


if __name__ == "__main__":
    main()
