"""Runs commands in turn and keeps what each took."""

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


class Failed(Exception):
    """A command that was to be measured did not do what it should."""


@dataclass(frozen=True, kw_only=True)
class Command:
    """A process to measure."""

    name: str
    arguments: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    folder: Path = CHECKOUT


@dataclass(frozen=True, kw_only=True)
class Took:
    """What one run of a command took."""

    seconds: float
    cpu: float  # of the client, in seconds
    memory: int  # of the largest process of the client, in bytes
    said: Mapping[str, Any]  # what the command itself reports in its last line, if that is JSON
    stale: int | None = None  # views that do not show what they should afterwards


def measure(command: Command, *, extra: Mapping[str, str] | None = None) -> Took:
    """Run it to its end. Raises `Failed` with its last words."""
    WORK.mkdir(parents=True, exist_ok=True)
    facts, log = WORK / "facts.json", WORK / f"{command.name.replace('/', '-')}.log"
    environment = {**_plain(), **command.environment, **(extra or {})}
    program = [sys.executable, "-I", "-S", launcher.__file__, str(facts), str(log), *command.arguments]
    subprocess.run(program, cwd=command.folder, env=environment, check=True)  # noqa: S603  # the bench's own commands
    measured = json.loads(facts.read_text())
    lines = log.read_text(errors="replace").splitlines()
    if measured.pop("code") != 0:
        raise Failed(f"{command.name}: {' '.join(command.arguments)} failed; more in {log}:\n" + "\n".join(lines[-8:]))
    said = json.loads(lines[-1]) if lines and lines[-1].startswith("{") else {}
    return Took(**measured, said=said)


def in_turn(
    commands: Sequence[Command],
    *,
    rounds: int,
    before: Callable[[Command], object] = lambda _: None,
    after: Callable[[Command], int | None] = lambda _: None,
    say: Callable[[str], object] = lambda _: None,
) -> dict[str, list[Took]]:
    """Every command once without looking, then in so many rounds, each of which begins with another one."""
    taken: dict[str, list[Took]] = {command.name: [] for command in commands}
    for number in range(rounds + 1):
        turn = number % len(commands)
        for command in (*commands[turn:], *commands[:turn]):
            before(command)
            took = measure(command)
            stale = after(command)
            say(f"round {number} of {rounds}: {command.name} {took.seconds:.2f} s, {took.cpu:.2f} s of CPU")
            if number:
                taken[command.name].append(
                    Took(seconds=took.seconds, cpu=took.cpu, memory=took.memory, said=took.said, stale=stale)
                )
    return taken


def _plain() -> dict[str, str]:
    """The environment without what would make a run here unlike a run elsewhere."""
    ours = ("SEEDER_", "BENCH_", "DB_", "PG", "DBT_", "DJANGO_", "PYTHON")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)}
