"""Every fault test has its own server and an empty database."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.db import connections
from pytest_django import DjangoDbBlocker

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
def server(private_server: PrivateServer, django_db_blocker: DjangoDbBlocker) -> Iterator[PrivateServer]:
    """Start the server, and use an empty database on it as `default`."""
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
