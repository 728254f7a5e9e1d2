"""Runs the probes and returns their reports."""

import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.contests import small_contenders
from bench.interleaved_runs import Command, Measurement, measure, run_interleaved
from bench.options import Options
from bench.probes import logged_statements
from bench.server import BenchServer
from bench.workloads import large
from bench.workloads.checked_view import BARE, INDEXED, checked_view
from bench.workloads.locked_inputs import locked_inputs
from bench.workloads.modes import modes as twin_views
from bench.workloads.small import small
from bench.workloads.workload import create_workload


@dataclass(frozen=True, kw_only=True)
class StatementCounts:
    """The number of statements that a contender sends."""

    views: int
    total: int
    by_statement: Mapping[str, int]  # by the statement without its literals


def planning(bench: BenchServer, options: Options) -> Mapping[int, Sequence[Mapping[str, Any]]]:
    """Measure planning. Return the reports of every round, by the number of manifests."""
    workload = large.large(max(options.manifests))
    print(f"{workload.title} to plan: setting up", flush=True)
    create_workload(workload, bench)
    large.write_history(workload, bench)
    environment = {**bench.django_variables(workload.name), "DJANGO_SETTINGS_MODULE": "bench.host.plain"}
    commands = [
        Command(
            name=f"planning {count}",
            arguments=[sys.executable, "-m", "bench.probes.time_planning", str(count)],
            environment=environment,
        )
        for count in options.manifests
    ]
    measurements = run_interleaved(commands, rounds=min(options.rounds, 3), on_progress=_print_progress)
    return {
        count: [measurement.reported for measurement in measurements[f"planning {count}"]]
        for count in options.manifests
    }


def startup(bench: BenchServer, options: Options) -> Mapping[str, Sequence[Measurement]]:
    """Measure the start of Django and of the smallest command.

    All of them have the same settings and a warm server.
    """
    workload = small(min(options.small))
    create_workload(workload, bench)
    environment = {"DJANGO_SETTINGS_MODULE": "bench.host.embedded", "BENCH_DATABASE": workload.name}
    view_name = f"reporting.{workload.views[0].name}"
    programs = {
        "django.setup()": ["-c", "import django; django.setup()"],
        "django.setup() and one query": ["-c", _ONE_QUERY],
        "refresh_table": ["manage.py", "refresh_table", view_name],
        "refresh_table --dry-run": ["manage.py", "refresh_table", "--dry-run", view_name],
    }
    commands = [
        Command(name=name, arguments=[sys.executable, *arguments], environment=environment)
        for name, arguments in programs.items()
    ]
    return run_interleaved(commands, rounds=options.rounds * (2 if options.quick else 4), on_progress=_print_progress)


_ONE_QUERY = "import django; django.setup(); from django.db import connection; connection.cursor().execute('SELECT 1')"


def statements(bench: BenchServer, options: Options) -> Mapping[str, StatementCounts]:
    """Count the statements of every contender in the server's log."""
    workload = small(min(options.small))
    create_workload(workload, bench)
    counts = {}
    for contender in small_contenders(len(workload.views)):
        command = contender(workload, bench, options.workers)
        if command.name in options.without:
            continue
        measure(command)
        with logged_statements.logged_statements(bench.log) as logged:
            measure(command, extra={"PGOPTIONS": "-c log_statement=all"})
        statement_counts = Counter(logged)
        counts[command.name] = StatementCounts(
            views=len(workload.views), total=statement_counts.total(), by_statement=dict(statement_counts.most_common())
        )
        print(
            f"  {command.name} sends {statement_counts.total()} statements for {len(workload.views)} views", flush=True
        )
    return counts


def locks(bench: BenchServer, options: Options) -> Mapping[str, Mapping[str, float]]:
    """Measure input locks. Return the milliseconds of a bare and of a locked refresh, by the number of tables."""
    workload = locked_inputs()
    create_workload(workload, bench)
    command = Command(
        name="input locks",
        arguments=[sys.executable, "-m", "bench.probes.time_input_locks", "20" if options.quick else "300"],
        environment=bench.libpq_variables(workload.name),
    )
    return measure(command).reported


def data_checks(bench: BenchServer, options: Options) -> Mapping[str, Mapping[str, float]]:
    """Measure data checks. Return the milliseconds of a refresh without and with them, by the indexes of the view."""
    workload, rounds = checked_view(1_000 if options.quick else 100_000), "3" if options.quick else "30"
    create_workload(workload, bench)
    environment = {**bench.django_variables(workload.name), "DJANGO_SETTINGS_MODULE": "bench.host.plain"}
    measured = {}
    for indexes in (BARE, INDEXED):
        arguments = [sys.executable, "-m", "bench.probes.time_data_checks", rounds, indexes]
        command = Command(name=f"data checks, {indexes}", arguments=arguments, environment=environment)
        measured[indexes] = measure(command).reported
    return measured


def readers(bench: BenchServer, options: Options) -> Mapping[str, float]:
    """Return the milliseconds that readers wait for a view without data checks, and with checks inside or before."""
    workload = checked_view(10_000 if options.quick else 200_000, name="read_view")
    create_workload(workload, bench)
    address = {**bench.django_variables(workload.name), **bench.libpq_variables(workload.name)}
    command = Command(
        name="readers of a checked view",
        arguments=[sys.executable, "-m", "bench.probes.time_reader_waits", "1" if options.quick else "6"],
        environment={**address, "DJANGO_SETTINGS_MODULE": "bench.host.plain"},
    )
    waits: Mapping[str, float] = measure(command).reported
    return waits


def modes(bench: BenchServer, options: Options) -> Sequence[Mapping[str, float]]:
    """Measure plain and concurrent refreshes, and the choices of `auto`."""
    workload = twin_views()
    create_workload(workload, bench)
    command = Command(
        name="modes",
        arguments=[sys.executable, "-m", "bench.probes.time_modes", "1" if options.quick else "6"],
        environment=bench.libpq_variables(workload.name),
    )
    cells: Sequence[Mapping[str, float]] = measure(command).reported["cells"]
    return cells


def _print_progress(line: str) -> None:
    print(f"  {line}", flush=True)
