"""Has every list asked for on a platform with a past, and keeps what it cost the database."""

import sys
from collections.abc import Mapping
from typing import Any

from bench.options import Options
from bench.server import Bench
from bench.turns import Command, measure
from bench.workloads import platform

_VIEWS, _NIGHTS = 10_000, 432  # of 11,600 manifests: five million rows of history


def lists(bench: Bench, options: Options) -> Mapping[str, Any]:
    """What the probe says."""
    views, nights = (300, 20) if options.quick else (_VIEWS, _NIGHTS)
    database = platform.lay_out(bench, views=views, runs=nights)
    command = Command(
        name="lists",
        arguments=[sys.executable, "-m", "bench.probes.lists", str(options.rounds)],
        environment={**bench.django(database), "DJANGO_SETTINGS_MODULE": "bench.host.plain"},
    )
    said = measure(command).said
    bench.settle(database)  # its scenes were rolled back, but their rows are there
    print(f"  {len(said['lists'])} lists, the slowest {max(one['ms'] for one in said['lists']):.1f} ms", flush=True)
    return said
