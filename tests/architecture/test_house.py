"""Rules of this repository that no linter knows. Import-linter has those about imports. Each test lists offenders."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.conftest import CHECKOUT
from tests.mutants.guards import GUARDS

SOURCES = sorted(
    path
    for room in ("seeder", "settings", "demo", "embedded", "bench")
    for path in (CHECKOUT / room).rglob("*.py")
    if ".envs" not in path.parts  # the tools that the bench compares with
)
TESTS = sorted((CHECKOUT / "tests").rglob("*.py"))
LONGEST = 300  # lines
VAGUE = {"utils", "util", "helpers", "helper", "common", "misc", "base"}
NAMED_BY_DJANGO = {CHECKOUT / "embedded" / "backend" / "base.py", CHECKOUT / "settings" / "base.py"}
RAW_SQL = {"cursor", "raw", "driver_connection", "extra", "RawSQL", "execute_sql"}
PAUSING = CHECKOUT / "tests" / "polling.py"


def calls(node: ast.AST) -> Iterator[str]:
    """The last name of everything that is called there."""
    for one in ast.walk(node):
        if isinstance(one, ast.Call):
            match one.func:
                case ast.Attribute(attr=name) | ast.Name(id=name):
                    yield name


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def busy_loops(path: Path) -> Iterator[str]:
    """`while` loops that only look again: they take the processor from what they wait for."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.While) and all(isinstance(one, ast.Pass | ast.Assert) for one in node.body):
            yield f"{path}:{node.lineno}"


def test_the_rules_see_the_code() -> None:
    assert len(SOURCES) > 40
    assert "sleep" in calls(tree(CHECKOUT / "embedded" / "idle_watcher.py"))


def test_no_source_file_is_longer_than_three_hundred_lines() -> None:
    assert [path for path in SOURCES if len(path.read_text(encoding="utf-8").splitlines()) > LONGEST] == []


def test_no_source_file_has_a_vague_name() -> None:
    assert [path for path in SOURCES if path.stem in VAGUE and path not in NAMED_BY_DJANGO] == []


def test_only_the_postgres_package_sends_its_own_sql() -> None:
    others = [path for path in SOURCES if path.is_relative_to(CHECKOUT / "seeder") and "postgres" not in path.parts]
    assert [path for path in others if RAW_SQL & set(calls(tree(path)))] == []


def test_no_test_waits_for_a_fixed_time_or_without_a_pause() -> None:
    """`eventually` waits for a condition, and pauses between two looks."""
    sleeping = [path for path in TESTS if path != PAUSING and {"sleep", "pause"} & set(calls(tree(path)))]
    assert (sleeping, [loop for path in TESTS for loop in busy_loops(path)]) == ([], [])


def test_every_mutant_applies_to_the_code_as_it_is() -> None:
    """Only `make mutants` runs their tests."""
    outdated = [one.name for one in GUARDS if (CHECKOUT / one.file).read_text(encoding="utf-8").count(one.old) != 1]
    missing = [test for one in GUARDS for test in one.tests if not (CHECKOUT / test.partition("::")[0]).exists()]
    assert (outdated, missing) == ([], [])
