from collections.abc import Iterator

import pytest

from tests.acceptance import refresh_processes


@pytest.fixture
def kill_processes_after(bare_database: None) -> Iterator[None]:
    yield
    refresh_processes.kill_all()
