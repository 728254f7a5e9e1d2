"""Every test here has a server that it may break, and finds the contract's tables in a database of its own."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import connections
from pytest_django import DjangoDbBlocker

from tests.acceptance import refresh_processes
from tests.faults.private_server import PrivateServer, default_database

DATABASE = "test_faults"


@pytest.fixture(scope="session")
def private_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateServer]:
    """Made once, as initdb takes its time."""
    with removed_at_the_end(PrivateServer(tmp_path_factory.mktemp("faults") / "pg")) as private:
        yield private


@contextmanager
def removed_at_the_end(private: PrivateServer) -> Iterator[PrivateServer]:
    """Nothing of it is left in the end, neither process nor file."""
    try:
        yield private
    finally:
        private.stop()
        shutil.rmtree(private.folder, ignore_errors=True)


@pytest.fixture
def server(private_server: PrivateServer, django_db_blocker: DjangoDbBlocker) -> Iterator[PrivateServer]:
    """It runs with the usual settings, and Django is pointed at an empty database on it."""
    with django_db_blocker.unblock():
        yield from with_empty_database(private_server)


def with_empty_database(private: PrivateServer) -> Iterator[PrivateServer]:
    private.become_primary()
    private.start()
    private.drop_everything(DATABASE)
    with private.session() as session:
        session.execute(f"CREATE DATABASE {DATABASE}".encode())
    with default_database(private.django_settings(DATABASE)):
        yield private


@pytest.fixture
def bare_database(server: PrivateServer) -> Iterator[None]:
    """What the commands of a test talk to; no process outlives it, nor does what it began on the server."""
    yield
    connections.close_all()
    if not server.is_running:
        server.start()
    refresh_processes.kill_all()
