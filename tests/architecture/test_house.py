"""Rules of the house that no linter knows; import-linter holds those about imports."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import CHECKOUT

SOURCES = sorted(
    path
    for room in ("seeder", "settings", "demo", "embedded", "bench")
    for path in (CHECKOUT / room).rglob("*.py")
    if ".envs" not in path.parts  # what the bench compares with
)
TESTS = sorted((CHECKOUT / "tests").rglob("*.py"))
IDS = [str(path.relative_to(CHECKOUT)) for path in SOURCES]


def calls(path: Path) -> Iterator[str]:
    """The last name of everything that a file calls."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            match node.func:
                case ast.Attribute(attr=name) | ast.Name(id=name):
                    yield name


def test_there_is_something_to_hold_the_rules_against() -> None:
    assert len(SOURCES) > 40
    assert "sleep" in set(calls(CHECKOUT / "embedded" / "idle.py"))


@pytest.mark.parametrize("path", SOURCES, ids=IDS)
def test_a_file_is_short_enough_to_be_read_as_a_story(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 300


@pytest.mark.parametrize("path", SOURCES, ids=IDS)
def test_a_file_s_name_says_what_is_in_it(path: Path) -> None:
    assert path.stem not in {"utils", "util", "helpers", "helper", "common", "misc", "base"} or path.parent.name in {
        "backend",  # Django looks for a database engine in a module of this name
        "settings",
    }


@pytest.mark.parametrize("path", sorted((CHECKOUT / "seeder").rglob("*.py")), ids=lambda path: path.stem)
def test_only_the_database_room_sends_sql_of_its_own(path: Path) -> None:
    if "postgres" not in path.parts:
        assert not {"cursor", "raw", "extra", "RawSQL", "execute_sql"} & set(calls(path))


@pytest.mark.parametrize("path", TESTS, ids=[str(path.relative_to(CHECKOUT)) for path in TESTS])
def test_no_test_waits_by_sleeping(path: Path) -> None:
    assert "sleep" not in set(calls(path))
