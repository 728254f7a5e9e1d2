"""Runs the probes and keeps what they say."""

import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.contests import small_contenders
from bench.options import Options
from bench.probes import sent
from bench.server import Bench
from bench.turns import Command, Took, in_turn, measure
from bench.workloads import large
from bench.workloads.small import small
from bench.workloads.workload import lay_out


@dataclass(frozen=True, kw_only=True)
class Sent:
    """The statements of one contender."""

    views: int
    total: int
    each: Mapping[str, int]  # by the statement without its literals


def planning(bench: Bench, options: Options) -> Mapping[int, Sequence[Mapping[str, Any]]]:
    """For every number of manifests what the probe says, round by round."""
    workload = large.large(max(options.manifests))
    print(f"{workload.title} to plan: laying out", flush=True)
    lay_out(workload, bench)
    large.remember(workload, bench)
    environment = {**bench.django(workload.name), "DJANGO_SETTINGS_MODULE": "bench.host.plain"}
    commands = [
        Command(
            name=f"planning {count}",
            arguments=[sys.executable, "-m", "bench.probes.planning", str(count)],
            environment=environment,
        )
        for count in options.manifests
    ]
    took = in_turn(commands, rounds=min(options.rounds, 3), say=_say)
    return {count: [one.said for one in took[f"planning {count}"]] for count in options.manifests}


def startup(bench: Bench, options: Options) -> Mapping[str, Sequence[Took]]:
    """The smallest command, and what no Django program can do without; all on the same settings, the server warm."""
    workload = small(min(options.small))
    lay_out(workload, bench)
    environment = {"DJANGO_SETTINGS_MODULE": "bench.host.embedded", "BENCH_DATABASE": workload.name}
    one = f"reporting.{workload.views[0].name}"
    programs = {
        "django.setup()": ["-c", "import django; django.setup()"],
        "django.setup() and one query": ["-c", _ONE_QUERY],
        "refresh_table": ["manage.py", "refresh_table", one],
        "refresh_table --dry-run": ["manage.py", "refresh_table", "--dry-run", one],
    }
    commands = [
        Command(name=name, arguments=[sys.executable, *arguments], environment=environment)
        for name, arguments in programs.items()
    ]
    return in_turn(commands, rounds=options.rounds * (2 if options.quick else 4), say=_say)


_ONE_QUERY = "import django; django.setup(); from django.db import connection; connection.cursor().execute('SELECT 1')"


def statements(bench: Bench, options: Options) -> Mapping[str, Sent]:
    """What every contender sends for the smallest number of small views, by the server's own log; not timed."""
    workload = small(min(options.small))
    lay_out(workload, bench)
    found = {}
    for contender in small_contenders(len(workload.views)):
        command = contender(workload, bench, options.seats)
        if command.name in options.without:
            continue
        measure(command)
        with sent.listening(bench.log) as heard:
            measure(command, extra={"PGOPTIONS": "-c log_statement=all"})
        each = Counter(heard)
        found[command.name] = Sent(views=len(workload.views), total=each.total(), each=dict(each.most_common()))
        print(f"  {command.name} sends {each.total()} statements for {len(workload.views)} views", flush=True)
    return found


def _say(line: str) -> None:
    print(f"  {line}", flush=True)
