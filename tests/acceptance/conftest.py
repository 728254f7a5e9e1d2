from collections.abc import Iterator

import pytest

from tests.acceptance import processes


@pytest.fixture
def kill_processes_after(bare_database: None) -> Iterator[None]:
    yield
    processes.kill_all()
