"""Has the figures of one wide view found in every way, ours among them."""

import sys
from collections.abc import Mapping, Sequence

from bench.contenders.simple import HOST
from bench.environments import program
from bench.options import CHECKOUT, Options
from bench.server import Bench
from bench.turns import Command, Took, in_turn
from bench.workloads.lineitem import lineitem
from bench.workloads.workload import Workload, lay_out

SCAN, NAIVE, PROFILER, PANDAS = "one scan", "naive way", "dbt-profiler's questions", "pandas"
EXACT, APPROXIMATE = "reporting-seeder", "reporting-seeder --approximate"
_VIEW = "reporting.lineitem"


def snapshots(bench: Bench, options: Options) -> Mapping[str, Sequence[Took]]:
    """What every way takes."""
    workload = lineitem(options.scale / 2)
    print(f"{workload.title} to look at: laying out", flush=True)
    lay_out(workload, bench)
    with bench.connect(workload.name) as connection:
        connection.execute(f"VACUUM (ANALYZE) {_VIEW}".encode())

    def forget(_: Command) -> None:
        with bench.connect(workload.name) as connection:
            connection.execute("TRUNCATE reporting.seeder_release_snapshot")

    commands = [one for one in _commands(workload, bench) if one.name not in options.without]
    return in_turn(
        commands, rounds=min(options.rounds, 3), before=forget, say=lambda line: print(f"  {line}", flush=True)
    )


def _commands(workload: Workload, bench: Bench) -> Sequence[Command]:
    libpq = bench.libpq(workload.name)
    ways = {SCAN: "scan", NAIVE: "naive", PROFILER: "profiler"}
    asked = [sys.executable, "-m", "bench.probes.profiles"]
    script = CHECKOUT / "bench" / "probes" / "pandas_profile.py"
    return [
        *(Command(name=name, arguments=[*asked, way, _VIEW], environment=libpq) for name, way in ways.items()),
        Command(name=PANDAS, arguments=[str(program("pandas", "python")), str(script), _VIEW], environment=libpq),
        _ours(workload, bench, EXACT),
        _ours(workload, bench, APPROXIMATE, "--approximate"),
    ]


def _ours(workload: Workload, bench: Bench, name: str, *options: str) -> Command:
    with bench.connect(workload.name) as connection:
        found = connection.execute(
            "SELECT string_agg(attname, ',') FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0", [_VIEW]
        ).fetchone()
    capture = ["capture_release_snapshot", "--table-name", _VIEW, "--release-tag", name.replace(" ", "")]
    return Command(
        name=name,
        arguments=[sys.executable, "manage.py", *capture, "--top-values-columns", str(found and found[0]), *options],
        environment={**bench.django(workload.name), "DJANGO_SETTINGS_MODULE": HOST},
    )
