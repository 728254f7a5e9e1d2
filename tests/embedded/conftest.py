"""A folder of its own for every test, and nothing left alive after it."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.embedded.server_processes import FAST_SETTINGS, EmbeddedServer


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[EmbeddedServer]:
    """Nothing yet."""
    with EmbeddedServer(tmp_path / "var" / "postgres") as house:
        yield house


@pytest.fixture
def house(fresh: EmbeddedServer, template: Path) -> EmbeddedServer:
    """A database that has been created before, and no server."""
    return fresh.copied_from(template)


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """initdb takes its time, a copy does not."""
    folder = tmp_path_factory.mktemp("template") / "postgres"
    with EmbeddedServer(folder) as house:
        house.start_user(settings=FAST_SETTINGS).server()
    yield folder
    shutil.rmtree(folder)
