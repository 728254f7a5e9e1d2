"""Options of the benchmark, from variables of the environment.

`make bench BENCH_QUICK=1` passes them on.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
WORK = CHECKOUT / "var" / "bench"  # all files created by the benchmark
PARTS = (
    "small",
    "network",
    "graph",
    "tpch",
    "night",
    "planning",
    "startup",
    "statements",
    "locks",
    "modes",
    "checks",
    "readers",
    "snapshots",
    "lists",
    "loading",
    "silver",
)


@dataclass(frozen=True, kw_only=True)
class Options:
    """The options as given, or their defaults."""

    rounds: int  # measured rounds, after one that is not
    scale: float  # of TPC-H
    workers: int  # concurrent refreshes, for every contender that supports them
    small: tuple[int, ...]  # numbers of trivial views
    manifests: tuple[int, ...]  # to plan
    only: tuple[str, ...]  # parts
    without: tuple[str, ...]  # contenders
    quick: bool
    keep: bool  # the server and its data, for the next benchmark

    @property
    def is_complete(self) -> bool:
        """True if the report replaces the published one."""
        return not self.quick and set(self.only) == set(PARTS) and not self.without


def read(environment: Mapping[str, str] = os.environ) -> Options:
    """Read the options. Raises `SystemExit` with one line if a value is invalid."""

    def variable(name: str, default: str) -> str:
        return environment.get(f"BENCH_{name}") or default

    try:
        quick = variable("QUICK", "0") == "1"
        options = Options(
            rounds=int(variable("ROUNDS", "1" if quick else "5")),
            scale=float(variable("SCALE", "0.01" if quick else "1")),
            workers=int(variable("WORKERS", "8")),
            small=_numbers(variable("SMALL", "50" if quick else "1000,10000")),
            manifests=_numbers(variable("MANIFESTS", "100,200" if quick else "1250,2500,5000,10000")),
            only=_split(variable("ONLY", ",".join(PARTS))),
            without=_split(variable("WITHOUT", "")),
            quick=quick,
            keep=variable("KEEP", "0") == "1",
        )
    except ValueError as error:
        raise SystemExit(f"bench: invalid value of a variable BENCH_…: {error}") from error
    if unknown := set(options.only) - set(PARTS):
        raise SystemExit(f"bench: BENCH_ONLY accepts {', '.join(PARTS)}, not {', '.join(sorted(unknown))}")
    if options.rounds < 1 or options.workers < 1:
        raise SystemExit("bench: BENCH_ROUNDS and BENCH_WORKERS must be at least 1")
    return options


def _split(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(word) for word in _split(text))
