"""Every test has its own folder, and no process survives it."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.embedded.server_processes import FAST_SETTINGS, EmbeddedServer


@pytest.fixture
def fresh_server(tmp_path: Path) -> Iterator[EmbeddedServer]:
    """An empty folder without a database."""
    with EmbeddedServer(tmp_path / "var" / "postgres") as embedded_server:
        yield embedded_server


@pytest.fixture
def embedded_server(fresh_server: EmbeddedServer, template: Path) -> EmbeddedServer:
    """An initialized database without a running server."""
    return fresh_server.copied_from(template)


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Initialize a database once, because copying it is faster than initdb."""
    folder = tmp_path_factory.mktemp("template") / "postgres"
    with EmbeddedServer(folder) as embedded_server:
        embedded_server.start_user(settings=FAST_SETTINGS).server()
    yield folder
    shutil.rmtree(folder)
