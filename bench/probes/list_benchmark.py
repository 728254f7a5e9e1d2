"""Measures the database time of lists with a long history."""

import sys
from collections.abc import Mapping
from typing import Any

from bench.interleaved_runs import Command, measure
from bench.options import Options
from bench.server import BenchServer
from bench.workloads import platform

_VIEWS, _NIGHTS = 10_000, 432  # 11,600 manifests: five million rows of history


def lists(bench: BenchServer, options: Options) -> Mapping[str, Any]:
    """Run the probe and return its report."""
    views, nights = (300, 20) if options.quick else (_VIEWS, _NIGHTS)
    database = platform.create_platform(bench, views=views, runs=nights)
    command = Command(
        name="lists",
        arguments=[sys.executable, "-m", "bench.probes.time_lists", str(options.rounds)],
        environment={**bench.django_variables(database), "DJANGO_SETTINGS_MODULE": "bench.host.plain"},
    )
    reported = measure(command).reported
    bench.vacuum_and_checkpoint(database)  # changes were rolled back, but left dead rows
    print(
        f"  {len(reported['lists'])} lists, the slowest {max(entry['ms'] for entry in reported['lists']):.1f} ms",
        flush=True,
    )
    return reported
