"""Schedulers that end with their test."""

from collections.abc import Iterator

import pytest

from tests.unit.services.scheduled_database import ScheduledDatabase


@pytest.fixture
def databases() -> Iterator[list[ScheduledDatabase]]:
    """Collect the databases of a test, and end their workers."""
    created: list[ScheduledDatabase] = []
    yield created
    for database in created:
        database.scheduler.pool.shutdown(wait=True)
