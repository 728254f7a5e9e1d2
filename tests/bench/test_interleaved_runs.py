"""Commands that are measured, and what may be asked of the bench."""

import sys

import pytest

from bench.interleaved_runs import Command, CommandFailed, measure, run_interleaved
from bench.options import read


def python(name: str, code: str) -> Command:
    return Command(name=name, arguments=[sys.executable, "-I", "-S", "-c", code])


def test_what_a_command_says_in_its_last_line_is_kept() -> None:
    took = measure(python("saying", "print('a word'); print('{\"inner\": 1}')"))
    assert took.reported == {"inner": 1}
    assert took.seconds > 0
    assert took.memory > 0


def test_the_memory_is_that_of_the_command_and_not_of_who_started_it() -> None:
    room = bytearray(b"x" * 200_000_000)
    assert measure(python("small", "pass")).memory < len(room)


def test_a_command_that_fails_says_why() -> None:
    with pytest.raises(CommandFailed, match="(?s)failing: .*out of order"):
        measure(python("failing", "raise SystemExit('out of order')"))


def test_everybody_has_a_turn_in_every_round_and_each_round_begins_with_another() -> None:
    order: list[str] = []
    commands = [python("a", "pass"), python("b", "pass")]
    took = run_interleaved(commands, rounds=2, before=lambda command: order.append(command.name), after=lambda _: 3)
    assert order == ["a", "b", "b", "a", "a", "b"]
    assert {name: [one.stale_views for one in every] for name, every in took.items()} == {"a": [3, 3], "b": [3, 3]}


def test_options_are_read_or_refused_in_one_line() -> None:
    assert read({}).is_complete
    assert not read({"BENCH_QUICK": "1"}).is_complete
    assert read({"BENCH_ONLY": "night, graph", "BENCH_ROUNDS": ""}).only == ("night", "graph")
    for wrong in ({"BENCH_ROUNDS": "many"}, {"BENCH_ONLY": "moon"}, {"BENCH_ROUNDS": "0"}):
        with pytest.raises(SystemExit, match="bench: "):
            read(wrong)
