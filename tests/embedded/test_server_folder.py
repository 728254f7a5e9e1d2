"""Server folders at any path and of any owner."""

import os
import shutil
import stat
import subprocess
import tempfile
from pathlib import Path

import psutil
import pytest

from embedded import binaries
from embedded.server import psql_program
from embedded.server_folder import resolve_server_folder
from tests.embedded.server_processes import CHECKOUT, IS_ROOT, EmbeddedServer, wait_until

SYSTEM = subprocess.run(
    [CHECKOUT / "requirements" / "postgres"], capture_output=True, text=True, check=True
).stdout.strip()
_CAP_DAC_OVERRIDE, _CAP_DAC_READ_SEARCH = 1 << 1, 1 << 2


@pytest.mark.slow
def test_path_too_long_for_a_socket_uses_another_folder(tmp_path: Path, template: Path) -> None:
    with EmbeddedServer(tmp_path / ("long" * 30) / "postgres").copied_from(template) as embedded_server:
        socket_folder, _ = embedded_server.start_user().server()

        assert embedded_server.folder not in (socket_folder, *socket_folder.parents)
        assert stat.S_IMODE(socket_folder.stat().st_mode) == 0o700
        embedded_server.connect().close()
    assert not socket_folder.exists()


@pytest.mark.parametrize("name", ["a space, a comma", """it's "quoted" \\ ü"""])
def test_folder_with_any_name_works(tmp_path: Path, name: str, template: Path) -> None:
    with EmbeddedServer(tmp_path / name).copied_from(template) as embedded_server:
        embedded_server.start_user().server()

        line = embedded_server.server().psql(program=psql_program())
        completed = subprocess.run(
            ["/bin/sh", "-c", f"{line} -Atc 'SELECT 42'"], capture_output=True, text=True, check=True
        )
        assert completed.stdout == "42\n"


@pytest.mark.skipif(IS_ROOT, reason="root runs it under another account")
def test_server_runs_under_the_account_of_its_user(embedded_server: EmbeddedServer) -> None:
    _, pid = embedded_server.start_user().server()

    assert psutil.Process(pid).uids().real == os.geteuid()


@pytest.mark.skipif(not IS_ROOT, reason="only root can close a folder to the server")
def test_server_below_a_private_folder_gets_one_capability(tmp_path: Path, template: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    with EmbeddedServer(closed / "var" / "postgres").copied_from(template) as embedded_server:
        _, pid = embedded_server.start_user().server()

        assert psutil.Process(pid).uids().real == resolve_server_folder(embedded_server.folder).account.uid != 0
        assert _ambient_capabilities(pid) in (_CAP_DAC_READ_SEARCH, _CAP_DAC_OVERRIDE)
        assert (stat.S_IMODE(closed.stat().st_mode), closed.stat().st_uid) == (0o700, 0)
        embedded_server.connect().close()


@pytest.mark.skipif(not IS_ROOT, reason="only root has capabilities to give")
def test_server_below_accessible_folders_gets_no_capability(template: Path) -> None:
    accessible_folder = Path(tempfile.mkdtemp())
    accessible_folder.chmod(0o755)
    try:
        with EmbeddedServer(accessible_folder / "var" / "postgres").copied_from(template) as embedded_server:
            _, pid = embedded_server.start_user().server()

            binaries = Path(psutil.Process(pid).exe()).parents
            expected = 0 if all(path.stat().st_mode & 0o001 for path in binaries) else _CAP_DAC_READ_SEARCH
            assert _ambient_capabilities(pid) == expected
    finally:
        shutil.rmtree(accessible_folder)


@pytest.mark.skipif(not IS_ROOT, reason="only root works in folders of other accounts")
@pytest.mark.slow
def test_server_started_by_root_belongs_to_the_folder_owner(tmp_path: Path) -> None:
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    shutil.chown(checkout, user="daemon")
    with EmbeddedServer(checkout / "var" / "postgres") as embedded_server:
        _, pid = embedded_server.start_user().server()

        assert psutil.Process(pid).username() == "daemon"
        assert {path.owner() for path in checkout.rglob("*")} == {"daemon"}


def test_socket_folder_of_another_account_is_refused(tmp_path: Path, template: Path) -> None:
    with EmbeddedServer(tmp_path / ("long" * 30) / "postgres").copied_from(template) as embedded_server:
        foreign_link = resolve_server_folder(embedded_server.folder).socket_folder()
        foreign_link.symlink_to(tmp_path)
        try:
            assert "belongs to the account" in embedded_server.start_user().finish().err
        finally:
            foreign_link.unlink()
        wait_until(lambda: not embedded_server.processes())


def _ambient_capabilities(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1], 16) for line in lines if line.startswith("CapAmb:"))


@pytest.mark.skipif(not SYSTEM, reason="no PostgreSQL from 15 to 18 is installed here")
@pytest.mark.slow
def test_postgresql_named_by_the_environment_is_used(fresh_server: EmbeddedServer) -> None:
    fresh_server.start_user(environment={**os.environ, binaries.FOLDER_VARIABLE: SYSTEM}).server()

    with fresh_server.connect() as session:
        [version] = session.execute("SHOW server_version").fetchone() or [""]
    installed = subprocess.run([f"{SYSTEM}/postgres", "--version"], capture_output=True, text=True, check=True).stdout
    assert version.split()[0] == installed.split()[2]
    assert stat.S_IMODE(fresh_server.folder.stat().st_mode) == 0o700, "no other account can reach its socket"


def test_folder_without_postgres_is_refused_in_one_line(fresh_server: EmbeddedServer, tmp_path: Path) -> None:
    result = fresh_server.start_user(environment={**os.environ, binaries.FOLDER_VARIABLE: str(tmp_path)}).finish()

    assert f"EMBEDDED_POSTGRES is {tmp_path}, which has no program `postgres`" in result.err
    assert not (fresh_server.folder / "data").exists()
