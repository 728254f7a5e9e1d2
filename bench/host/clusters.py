"""The same project with a queue, in the database or in the Redis of BENCH_QUEUE_REDIS."""

import os

from bench.host.plain import *  # noqa: F403  # Django's own way to build one settings module on another
from seeder import defaults

Q_CLUSTER = {**defaults.Q_CLUSTER, "workers": 1}
if redis_url := os.environ.get("BENCH_QUEUE_REDIS"):
    del Q_CLUSTER["orm"]
    Q_CLUSTER["redis"] = redis_url
