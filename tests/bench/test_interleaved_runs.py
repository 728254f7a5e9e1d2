"""Measured commands, and the options of the benchmark."""

import sys

import pytest

from bench.interleaved_runs import Command, CommandFailed, measure, run_interleaved
from bench.options import read


def python(name: str, code: str) -> Command:
    return Command(name=name, arguments=[sys.executable, "-I", "-S", "-c", code])


def test_last_line_of_a_command_is_its_report() -> None:
    measured = measure(python("reporting", "print('a word'); print('{\"inner\": 1}')"))
    assert measured.reported == {"inner": 1}
    assert measured.seconds > 0
    assert measured.memory > 0


def test_memory_is_that_of_the_command_not_of_its_parent() -> None:
    own_memory = bytearray(b"x" * 200_000_000)
    assert measure(python("small", "pass")).memory < len(own_memory)


def test_failing_command_reports_its_reason() -> None:
    with pytest.raises(CommandFailed, match="(?s)failing: .*out of order"):
        measure(python("failing", "raise SystemExit('out of order')"))


def test_every_command_runs_in_every_round_in_rotated_order() -> None:
    order: list[str] = []
    commands = [python("a", "pass"), python("b", "pass")]
    measured = run_interleaved(commands, rounds=2, before=lambda command: order.append(command.name), after=lambda _: 3)
    assert order == ["a", "b", "b", "a", "a", "b"]
    assert {
        name: [measurement.stale_views for measurement in measurements] for name, measurements in measured.items()
    } == {"a": [3, 3], "b": [3, 3]}


def test_options_are_parsed_or_rejected_in_one_line() -> None:
    assert read({}).is_complete
    assert not read({"BENCH_QUICK": "1"}).is_complete
    assert read({"BENCH_ONLY": "night, graph", "BENCH_ROUNDS": ""}).only == ("night", "graph")
    for wrong in ({"BENCH_ROUNDS": "many"}, {"BENCH_ONLY": "moon"}, {"BENCH_ROUNDS": "0"}):
        with pytest.raises(SystemExit, match="bench: "):
            read(wrong)
