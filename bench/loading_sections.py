"""The sections of the report about loads, empty if nothing was measured."""

from collections.abc import Iterator, Sequence
from statistics import median

from bench.markdown_tables import spread_text, table
from bench.measurement_math import Spread
from bench.probes.loading_benchmark import PSQL, LoadMeasurement
from bench.probes.silver_benchmark import CSV_PASS
from bench.results import Results

_LOADING_HEADINGS = (
    *("way", "time", "CPU", "of psql's", "client CPU", "server CPU", "of these, the merge", "WAL", "client memory"),
    *("rejected", "CPU with start"),
)


def loading(results: Results) -> Iterator[str]:
    for one in results.loading:
        yield f"## Loading {one.records:,} orders"
        yield ""
        yield (
            "A file of 11 columns into a table with a primary key. The file with bad records has"
            f" {one.bad_records:,} of eight kinds. CPU is that of client and server. For programs in Python it is"
            " without their start, which the last column has. dlt creates its own tables. That of the object storage is"
            " not counted."
        )
        yield ""
        copy = one.measurements.get(PSQL)
        copy_cpu = median(each.cpu for each in copy) if copy else None
        yield from table(
            _LOADING_HEADINGS,
            (
                (
                    name,
                    spread_text(Spread.from_values(each.seconds for each in measured), "s"),
                    f"{median(each.cpu for each in measured):.2f} s",
                    f"{median(each.cpu for each in measured) / copy_cpu:.2f}" if copy_cpu else "",
                    f"{median(each.client_cpu for each in measured):.2f} s",
                    f"{median(each.server_cpu for each in measured):.2f} s",
                    f"{median(merges):.2f} s" if (merges := _merge_cpu(measured)) else "",
                    f"{median(each.wal for each in measured) / 1_000_000:.0f} MB",
                    f"{max(each.memory for each in measured) / 1_000_000:.0f} MB",
                    "" if measured[0].rejected is None else f"{measured[0].rejected:,}",
                    f"{median(each.cpu_with_start for each in measured):.2f} s",
                )
                for name, measured in one.measurements.items()
                if measured
            ),
        )
        for name, reason in one.failures.items():
            yield f"{name} failed: {reason}"
        yield ""


def _merge_cpu(measured: Sequence[LoadMeasurement]) -> Sequence[float]:
    return [one.merge_cpu for one in measured if one.merge_cpu is not None]


def small_loads(results: Results) -> Iterator[str]:
    if (small := results.small_loads) is None:
        return
    yield f"## Small loads beside {small.manifests} manifests"
    yield ""
    yield (
        f"Of {small.views} views that depend on the table. A known file was loaded before. The time to the refresh"
        " request begins with the commit of the load."
    )
    yield ""
    durations = {
        "refresh request of a process's first load": small.first,
        "refresh request of later loads": small.later,
        "`load_file` of a known file": small.known,
        **{f"`{name}`": [one.seconds for one in measured] for name, measured in small.commands.items()},
        **{f"`{name}`, client CPU": [one.cpu for one in measured] for name, measured in small.commands.items()},
    }
    milliseconds = {name: [1000 * one for one in seconds] for name, seconds in durations.items()}
    yield from table(
        ("part", "time"),
        ((name, spread_text(Spread.from_values(values), "ms")) for name, values in milliseconds.items()),
    )


def silver(results: Results) -> Iterator[str]:
    if (measured := results.silver) is None:
        return
    yield f"## Bronze to silver, {measured.records:,} orders"
    yield ""
    yield (
        f"An object of {measured.size / 1_000_000:.0f} MB is read from a bucket, checked by its dialect and written to"
        " another bucket. Its values are canonical, except in the one with bad records. CPU is that of the client"
        " without the start of Python."
    )
    yield ""
    csv_cpu = median(one.reported["inner_cpu"] for one in measured.measurements[CSV_PASS])
    yield from table(
        ("way", "time", "CPU", "of csv's", "CPU with start", "memory"),
        (
            (
                name,
                spread_text(Spread.from_values(one.seconds for one in runs), "s"),
                f"{(cpu := median(one.reported['inner_cpu'] for one in runs)):.2f} s",
                f"{cpu / csv_cpu:.2f}",
                f"{median(one.cpu for one in runs):.2f} s",
                f"{max(one.memory for one in runs) / 1_000_000:.0f} MB",
            )
            for name, runs in measured.measurements.items()
        ),
    )
    seconds = Spread.from_values(one.seconds for one in measured.finished)
    requests = sum(measured.finished[-1].operations.values())
    yield f"A run over {measured.objects:,} finished objects: {spread_text(seconds, 's')}, {requests} list requests."
    yield ""
