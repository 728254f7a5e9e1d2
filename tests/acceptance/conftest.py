from collections.abc import Iterator
from functools import partial

import pytest

from tests.acceptance import doctor_database, refresh_processes
from tests.acceptance.doctor_database import Doctor, Manage


@pytest.fixture
def kill_processes_after(bare_database: None) -> Iterator[None]:
    yield
    refresh_processes.kill_all()


@pytest.fixture
def healthy_database(empty_queue: None) -> Iterator[None]:
    """A database in which the doctor finds no problem."""
    with doctor_database.roles_and_grants():
        yield


@pytest.fixture
def doctor(healthy_database: None, manage: Manage) -> Doctor:
    """Return what the doctor finds as its own role, with these options and this environment."""
    return partial(doctor_database.find_problems, manage)
