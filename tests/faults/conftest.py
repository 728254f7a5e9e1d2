"""Every fault test has its own server and a new database.

Creating the tables of the contract and of the loading lane takes half a second, so they are copied from a template.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connections
from pytest_django import DjangoDbBlocker

from seeder.postgres import contract
from tests.acceptance import refresh_processes
from tests.conftest import sql
from tests.faults.private_server import PrivateServer, default_database

DATABASE = "test_faults"
SIZE = 16  # megabytes of the small disk


@pytest.fixture(scope="session")
def private_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateServer]:
    """Create the server once, because initdb is slow."""
    with removed_at_the_end(PrivateServer(tmp_path_factory.mktemp("faults") / "pg")) as private:
        yield private


@contextmanager
def removed_at_the_end(private: PrivateServer) -> Iterator[PrivateServer]:
    """Stop the server and delete its files at the end."""
    try:
        yield private
    finally:
        private.stop()
        shutil.rmtree(private.folder, ignore_errors=True)


@pytest.fixture
def server(
    request: pytest.FixtureRequest, private_server: PrivateServer, django_db_blocker: DjangoDbBlocker
) -> Iterator[PrivateServer]:
    """Start the server, and use a database on it as `default`. It has only the tables that the test requests."""
    template = next((name for name in _TEMPLATES if name in request.fixturenames), "template1")
    with django_db_blocker.unblock():
        yield from with_new_database(private_server, template)


def with_new_database(private: PrivateServer, template: str = "template1") -> Iterator[PrivateServer]:
    private.become_primary()
    private.start()
    private.drop_everything(DATABASE)
    with private.session() as session:
        if not session.execute("SELECT FROM pg_database WHERE datname = %s", [template]).rowcount:
            session.execute(f"CREATE DATABASE {template}_new".encode())
            with default_database(private.django_settings(f"{template}_new")):
                _TEMPLATES[template]()
            session.execute(f"ALTER DATABASE {template}_new RENAME TO {template}".encode())
        session.execute(f"CREATE DATABASE {DATABASE} TEMPLATE {template}".encode())
    with default_database(private.django_settings(DATABASE)):
        yield private


def _create_contract_tables() -> None:
    contract.install("default")


def _create_load_tables() -> None:
    _create_contract_tables()
    call_command("migrate", "data_pipeline", verbosity=0)


# By the fixture that requests the tables. The first one has those of the others.
_TEMPLATES = {"load_tables": _create_load_tables, "contract_tables": _create_contract_tables}


@pytest.fixture
def contract_tables(bare_database: None) -> None:
    """The contract's tables, which are in the template."""


@pytest.fixture
def bare_database(server: PrivateServer) -> Iterator[None]:
    """The database of the test. At the end, processes and sessions of the test are closed."""
    yield
    connections.close_all()
    server.start()  # with its usual limits: a full server refuses the next statements
    refresh_processes.kill_all()


@pytest.fixture
def small_disk(server: PrivateServer, tmp_path: Path) -> Iterator[Path]:
    """A tablespace named small_disk, on a disk of a few megabytes."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if os.geteuid() != 0:
        pytest.skip("only root can mount a disk of a few megabytes to be filled up")
    options = f"size={SIZE}m,mode=700,uid={server.server_folder.account.uid},gid={server.server_folder.account.gid}"
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", disk], capture_output=True, text=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip(f"no disk of a few megabytes can be mounted here: {mounted.stderr.strip()}")
    try:
        sql(f"CREATE TABLESPACE small_disk LOCATION '{disk}'")
        yield disk
        sql("DROP SCHEMA reporting CASCADE")
        sql("DROP TABLESPACE small_disk")
    finally:
        subprocess.run(["umount", "--lazy", disk], check=True)
