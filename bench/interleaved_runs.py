"""Runs commands in turn and measures them."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench import launcher
from bench.options import CHECKOUT, WORK
from bench.workloads.workload import SCHEMA


class CommandFailed(Exception):
    """A measured command failed."""


@dataclass(frozen=True, kw_only=True)
class Command:
    """A process to measure."""

    name: str
    arguments: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    folder: Path = CHECKOUT
    schema: str = SCHEMA  # of the relations that it fills


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """The time and memory of one run of a command."""

    seconds: float
    cpu: float  # of the client, in seconds
    memory: int  # of the largest process of the client, in bytes
    reported: Mapping[str, Any]  # its last line, if that is JSON
    stale_views: int | None = None  # views with outdated data after the run


def measure(command: Command, *, extra: Mapping[str, str] | None = None) -> Measurement:
    """Run a command to its end and measure it. Raises `CommandFailed` with its last lines."""
    WORK.mkdir(parents=True, exist_ok=True)
    facts, log = WORK / "facts.json", WORK / f"{command.name.replace('/', '-')}.log"
    environment = {**_clean_environment(), **command.environment, **(extra or {})}
    program = [sys.executable, "-I", "-S", launcher.__file__, str(facts), str(log), *command.arguments]
    subprocess.run(program, cwd=command.folder, env=environment, check=True)  # noqa: S603  # commands of the benchmark
    measured = json.loads(facts.read_text())
    lines = log.read_text(errors="replace").splitlines()
    if measured.pop("code") != 0:
        raise CommandFailed(
            f"{command.name}: {' '.join(command.arguments)} failed; more in {log}:\n" + "\n".join(lines[-8:])
        )
    reported = json.loads(lines[-1]) if lines and lines[-1].startswith("{") else {}
    return Measurement(**measured, reported=reported)


def run_interleaved(
    commands: Sequence[Command],
    *,
    rounds: int,
    before: Callable[[Command], object] = lambda _: None,
    after: Callable[[Command], int | None] = lambda _: None,
    on_progress: Callable[[str], object] = lambda _: None,
) -> dict[str, list[Measurement]]:
    """Run every command in each round, in rotated order. A first round is not measured."""
    measurements: dict[str, list[Measurement]] = {command.name: [] for command in commands}
    for number in range(rounds + 1):
        first = number % len(commands)
        for command in (*commands[first:], *commands[:first]):
            before(command)
            measurement = measure(command)
            stale_views = after(command)
            on_progress(
                f"round {number} of {rounds}: {command.name} {measurement.seconds:.2f} s, {measurement.cpu:.2f} s"
                " of CPU"
            )
            if number:
                measurements[command.name].append(
                    Measurement(
                        seconds=measurement.seconds,
                        cpu=measurement.cpu,
                        memory=measurement.memory,
                        reported=measurement.reported,
                        stale_views=stale_views,
                    )
                )
    return measurements


def _clean_environment() -> dict[str, str]:
    """Return the environment without variables that could change the result."""
    prefixes = ("SEEDER_", "BENCH_", "DB_", "PG", "DBT_", "DJANGO_", "PYTHON")
    return {name: value for name, value in os.environ.items() if not name.startswith(prefixes)}
