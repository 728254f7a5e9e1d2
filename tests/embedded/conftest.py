"""A folder of its own for every test, and nothing left alive after it."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.embedded.processes import FAST, House


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[House]:
    """Nothing yet."""
    with House(tmp_path / "var" / "postgres") as house:
        yield house


@pytest.fixture
def house(fresh: House, template: Path) -> House:
    """A database that has been created before, and no server."""
    return fresh.furnished_like(template)


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """initdb takes its time, a copy does not."""
    folder = tmp_path_factory.mktemp("template") / "postgres"
    with House(folder) as house:
        house.user(settings=FAST).server()
    yield folder
    shutil.rmtree(folder)
