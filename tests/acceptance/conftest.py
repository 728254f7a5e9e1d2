from collections.abc import Iterator

import pytest

from tests.acceptance import processes


@pytest.fixture
def processes_end(bare_database: None) -> Iterator[None]:
    yield
    processes.end_all()
